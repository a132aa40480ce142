//! Rule names as AWS delivers them, and the rule data: which core rule a name stands for.

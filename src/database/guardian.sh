# Starts the private Postgres and stops it when the last program has closed the pipe on standard input.
# Arguments: pg_ctl, the cluster's folder, its log, the file for answers, seconds of patience.
trap '' HUP INT TERM
umask 077
"$1" start -w -s -t "$5" -D "$2" -l "$3" </dev/null >>"$3" 2>&1 || exit 1
read -r pid <"$2/postmaster.pid" || exit 1
# Each program that joins writes a name and waits to read it back.
while read -r name; do echo "$name" >"$4"; done
# From here on nobody can join.
exec </dev/null
read -r now <"$2/postmaster.pid" && [ "$now" = "$pid" ] && kill -INT "$pid"

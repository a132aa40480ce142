"""A query's result: the CSV for S3 and the pages of GetQueryResults, in files so that a large one needs no memory."""

import json

from .run import SIZES


class Result:
    """Rows of texts under named columns."""

    def __init__(self, folder, identifier):
        self.csv = folder / f"{identifier}.csv"
        self.lines = folder / f"{identifier}.rows"
        self.columns = []
        self.offsets = []

    def write(self, pieces):
        """Takes what a run yields: the columns, then the rows. The first row of the pages is the header."""
        self.columns = next(pieces)
        header = [name for name, _ in self.columns]
        position = 0
        with self.lines.open("wb") as lines, self.csv.open("w", encoding="utf-8", newline="") as csv:
            position = self.add(lines, csv, header, position)
            for row in pieces:
                position = self.add(lines, csv, row, position)

    def add(self, lines, csv, row, position):
        csv.write(csv_line(row))
        line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
        lines.write(line)
        self.offsets.append(position)
        return position + len(line)

    def rows(self, start, number):
        """Some rows, as the API shows them."""
        if start >= len(self.offsets):
            return []
        with self.lines.open("rb") as file:
            file.seek(self.offsets[start])
            read = [json.loads(file.readline()) for _ in range(min(number, len(self.offsets) - start))]
        return [{"Data": [{} if value is None else {"VarCharValue": value} for value in row]} for row in read]

    def metadata(self):
        return {"ColumnInfo": [column_info(name, kind) for name, kind in self.columns]}


def csv_line(row):
    """Every value in quotes, NULL as nothing at all."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row) + "\n"


def column_info(name, kind):
    precision, scale = SIZES.get(kind, (0, 0))
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind == "varchar",
    }

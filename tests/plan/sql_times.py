"""Random expressions over times, without tables, in Postgres's SQL: far times, odd intervals, every field and unit."""

from random import Random

UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
SPELLED = (*UNITS, "mons", "d", "h", "m", "s", "y", "w", "us", "ms", "decades", "centuries")
TRUNCATED = ("microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
             "decade", "century", "millennium")  # fmt: skip
OF_INTERVALS = ("century", "decade", "millennium", "day", "epoch", "hour", "microseconds", "milliseconds", "minute",
                "month", "quarter", "second", "year")  # fmt: skip
OF_TIMES = (*OF_INTERVALS, "dow", "doy", "isodow", "isoyear", "week")
FACTORS = ("2", "3", "1.5", "0.25", "-7", "0.1")


class Times:
    """Draws expressions."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, items):
        return self.random.choice(items)

    def day(self, first=2000, last=2030):
        between = self.random.randint
        return f"{between(first, last):04d}-{between(1, 12):02d}-{between(1, 28):02d}"

    def timestamp(self):
        between = self.random.randint
        if self.random.random() < 0.4:
            clock = f"{between(0, 23):02d}:{between(0, 59):02d}:{between(0, 59):02d}.{between(0, 999999):06d}"
            return f"timestamptz '{self.day(1, 9998)} {clock}+00'"
        return f"timestamptz '{self.day()} {between(0, 23):02d}:00+00'"

    def number(self):
        fraction = f".{self.random.randint(0, 99)}" if self.random.random() < 0.4 else ""
        return f"{self.random.randint(-99, 99)}{fraction}"

    def interval(self):
        chance, between = self.random.random(), self.random.randint
        if chance < 0.6:
            parts = [f"{self.number()} {u}" for u in self.random.sample(UNITS, between(1, 3))]
            return f"interval '{' '.join(parts)}{' ago' if self.random.random() < 0.15 else ''}'"
        if chance < 0.75:
            return f"interval '{self.number()} {self.pick(SPELLED)}'"
        if chance < 0.85:
            clock = f"{between(0, 30)}:{between(0, 59):02d}:{between(0, 59):02d}.{between(0, 999)}"
            return f"interval '{between(-9, 9)} days {self.pick(('', '-'))}{clock}'"
        return f"({self.interval()} {self.pick('*/')} {self.pick(FACTORS)})"

    def expression(self):
        """An expression whose value JSON can show."""
        symbol, comparison = self.pick("+-"), self.pick(("<", "=", ">="))
        return self.pick((
            lambda: f"({self.timestamp()} {symbol} {self.interval()})::text",
            lambda: f"({self.timestamp()} - {self.timestamp()})::text",
            lambda: f"({self.interval()} {symbol} {self.interval()})::text",
            lambda: f"(-{self.interval()})::text",
            lambda: f"extract({self.pick(OF_TIMES)} FROM {self.timestamp()})",
            lambda: f"extract({self.pick(OF_INTERVALS)} FROM {self.interval()})",
            lambda: f"date_trunc('{self.pick(TRUNCATED)}', {self.timestamp()})::text",
            lambda: f"{self.interval()} {comparison} {self.interval()}",
            lambda: f"date '{self.day()}' {comparison} {self.timestamp()}",
        ))()  # fmt: skip

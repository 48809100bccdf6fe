"""What the comparisons share: rounds of measurements in turns, their medians, minima and ratios."""

import json
import os
import statistics


class Failed(Exception):
    """What a user can mend: a line of text."""


def python_command():
    """The interpreter that has PyTorch."""
    return os.environ.get("MILLWRIGHT_PYTHON", "python3")


class Rounds:
    """For each contestant the measurements of each round; a round has those of all of them, in turns."""

    def __init__(self, setting, rounds=()):
        self.setting = setting
        self.rounds = list(rounds)

    def add(self, measurements):
        """`measurements`: {contestant: {figure: [values]}}."""
        self.rounds.append(measurements)

    def contestants(self):
        """All that took part in some round, in order of appearance."""
        return list(dict.fromkeys(name for r in self.rounds for name in r))

    def values(self, contestant, figure):
        return [value for r in self.rounds if contestant in r for value in r[contestant][figure]]

    def median(self, contestant, figure):
        return statistics.median(self.values(contestant, figure))

    def minimum(self, contestant, figure):
        return min(self.values(contestant, figure))

    def ratio(self, contestant, reference, figure):
        """The median over the rounds of the ratio of the medians within one: what the machine's other
        users did meanwhile has least to do with it."""
        ratios = [statistics.median(r[contestant][figure]) / statistics.median(r[reference][figure])
                  for r in self.rounds if contestant in r and reference in r]
        return statistics.median(ratios)

    def to_json(self):
        return {"setting": self.setting, "rounds": self.rounds}


def open_rounds(path, setting, append):
    """Rounds to add to: none, or those of `path`, which must be of the same setting."""
    if not append or not os.path.exists(path):
        return Rounds(setting)
    with open(path, encoding="utf-8") as file:
        saved = json.load(file)
    if saved["setting"] != setting:
        raise Failed(f"--append: {path} is of another comparison: {json.dumps(saved['setting'])}")
    return Rounds(setting, saved["rounds"])


def write_json(path, value):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.write("\n")
    os.replace(path + ".tmp", path)

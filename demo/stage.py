"""What the demo prints: stages, commands, tables of what is possible against what was promised.

Plain text without a terminal, and with NO_COLOR.
"""

import os
import shutil

BOLD, DIM, GOOD, BAD = "1", "2", "32", "31"


class Stage:
    def __init__(self, to):
        self._to, self._number, self._broken, self._promises = to, 0, [], 0
        self._colour = to.isatty() and "NO_COLOR" not in os.environ
        self._width = shutil.get_terminal_size((110, 24)).columns if to.isatty() else 160

    def _style(self, style, text):
        return f"\033[{style}m{text}\033[0m" if self._colour else text

    def _line(self, text=""):
        self._to.write(text + "\n")
        self._to.flush()

    def head(self, title):
        self._line(self._style(BOLD, title))
        self._line("=" * len(title))

    def begin(self, title):
        self._number += 1
        line = f"{self._number}  {title}"
        self._line()
        self._line(self._style(BOLD, line))
        self._line(self._style(DIM, "-" * len(line)))

    def text(self, *lines):
        for line in lines:
            self._line(line)

    def command(self, line):
        self._line(self._style(BOLD, f"  $ {line}"))

    def said(self, text):
        """A command's words, indented and cut at the edge."""
        for line in text.rstrip().splitlines():
            line = "    " + line
            if len(line) > self._width:
                line = line[:self._width - 3] + "..."
            self._line(line)

    def promise(self, kept, what):
        self._promises += 1
        if not kept:
            self._broken.append((self._number, what))
            self._line(self._style(BAD, f"    NOT AS PROMISED: {what}"))

    def table(self, heading, rows):
        """Rows of (name, found, promised); a cell that is not as promised shows both."""
        cells = [heading]
        for name, found, promised in rows:
            cells.append((name, *(cell if cell == wanted else f"{cell}, promised {wanted or '-'}"
                                  for cell, wanted in zip(found, promised))))
        widths = [max(len(row[column]) for row in cells) for column in range(len(heading))]
        self._line()
        for index, row in enumerate(cells):
            shown = [self._cell(index, column, text, widths[column])
                     for column, text in enumerate(row)]
            self._line(("    " + "  ".join(shown)).rstrip())
        for name, found, promised in rows:
            self.promise(tuple(found) == tuple(promised), f"{name}: {found}, promised {promised}")

    def _cell(self, row, column, text, width):
        padded = text.ljust(width)
        if row == 0:
            return self._style(BOLD, padded)
        if column == 0 or not text:
            return padded
        return self._style(GOOD if text == "yes" else BAD if "promised" in text else DIM, padded)

    def end(self, seconds):
        self._line()
        if self._broken:
            stages = ", ".join(sorted({str(number) for number, _ in self._broken}))
            self._line(self._style(BAD, f"{len(self._broken)} of {self._promises} promises broken, "
                                        f"in stage {stages}"))
            return 1
        self._line(self._style(GOOD, f"All as promised: {self._promises} of {self._promises}, "
                                     f"in {seconds:.0f} seconds."))
        return 0

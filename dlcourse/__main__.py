"`python -m dlcourse` is the `dlcourse` command."
import sys

from dlcourse.workbook.cli import main

if __name__ == '__main__': sys.exit(main())

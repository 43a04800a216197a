"""Two networks side by side: the ordinary one and its equivariant twin, on a photograph."""

from irrepnet.report._comparison import Comparison as Comparison
from irrepnet.report._comparison import compare as compare
from irrepnet.report._costs import Entry as Entry
from irrepnet.report._costs import Line as Line
from irrepnet.report._costs import Summary as Summary
from irrepnet.report._files import check_writable as check_writable
from irrepnet.report._files import write_text as write_text
from irrepnet.report._html import check_html as check_html
from irrepnet.report._html import html as html
from irrepnet.report._invariance import Change as Change
from irrepnet.report._photo import Photo as Photo
from irrepnet.report._photo import load_photo as load_photo
from irrepnet.report._request import Request as Request
from irrepnet.report._speed_suite import SCHEMA as SCHEMA
from irrepnet.report._speed_suite import VARIANTS as VARIANTS
from irrepnet.report._speed_suite import Case as Case
from irrepnet.report._speed_suite import SpeedRow as SpeedRow
from irrepnet.report._speed_suite import matching as matching
from irrepnet.report._speed_suite import measure_case as measure_case
from irrepnet.report._speed_suite import speed_cases as speed_cases
from irrepnet.report._speed_table import progress_line as progress_line
from irrepnet.report._speed_table import speed_table as speed_table
from irrepnet.report._terminal import terminal as terminal

"""What in the text of a need would give the company away, before anything of it is shared.

`findings` marks names, places, people, contact details and figures, each with the wording to put in its place;
`abstract` puts it there. A person reads and corrects both: the check spares them the search, not the judgement.
"""

from matcher.disclosure.check import abstract, findings
from matcher.disclosure.model import KINDS, Commonness, Finding

__all__ = ["KINDS", "Commonness", "Finding", "abstract", "findings"]

"""The kinds of attributes there are, by the names that configurations give them."""

from facemon.domain.attribute import Attribute
from facemon.domain.kinds.binary import Binary
from facemon.domain.kinds.categorical import Categorical
from facemon.domain.kinds.kind import AttributeKind
from facemon.domain.kinds.number import Number
from facemon.domain.kinds.ordinal import Ordinal

KINDS: dict[str, AttributeKind] = {kind.name: kind for kind in (Binary(), Categorical(), Ordinal(), Number())}


def kind_of(attribute: Attribute) -> AttributeKind:
    """Return the kind of an attribute."""
    return KINDS[attribute.kind]

"""True labels of attributes that the log has and the configuration does not describe: nothing compares them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facemon.config.document import Config
    from facemon.config.model import AttributeConfig
    from facemon.evaluation.true_labels import TrueLabels


def undescribed_labels(config: "Config", logged: "Sequence[AttributeConfig]", labels: "TrueLabels") -> tuple[str, ...]:
    """Return the attributes of some rows that are not configured and for which a table of labels has a column.

    Which labels and bands there are is described nowhere: without them a wrong prediction cannot be told from a cell
    that is not a label.
    """
    described, columns = {attribute.name for attribute in config.model.attributes}, config.tables.columns
    names = (attribute.name for attribute in logged if attribute.name not in described)
    return tuple(name for name in names if columns.get(name, name) in labels.others)

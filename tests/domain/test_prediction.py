from facemon.config.model import LOG_COLUMNS
from facemon.domain.prediction import IMAGE_FEATURES
from tests.store.log_rows import SCHEMA


def test_the_fixed_columns_come_first() -> None:
    features = [f"image_{feature}" for feature in IMAGE_FEATURES]
    attributes = ["gender", "gender_confidence", "age", "age_confidence", "age_value"]
    assert SCHEMA.names == [*LOG_COLUMNS, *features, *attributes]
    assert str(SCHEMA.field("observed_at").type) == "timestamp[us, tz=UTC]"

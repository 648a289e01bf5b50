from facemon.config.model import ModelConfig
from facemon.domain.prediction import PredictedBatch
from facemon.predict.terminal_table import table_columns, table_rows


def test_the_table_for_people(model: ModelConfig, batch: PredictedBatch) -> None:
    assert table_columns(model.attributes) == ("image", "face", "glasses", "age", "score", "outcome")
    assert list(table_rows(batch.rows, model.attributes)) == [
        ('a "red" one, é.png', "0", "yes 100 %", "23.0 (adult 21 %)", "8", "ok"),
        ("missing.png", "", "", "", "", "unreadable"),
        ("blue.png", "0", "no 100 %", "46.7 (adult 21 %)", "-8", "ok"),
    ]

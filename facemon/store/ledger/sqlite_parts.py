"""The parts of a ledger that SQLite keeps; each is loaded when it is first asked for, as most commands need few."""

import sqlite3
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facemon.store.ledger.arrival_table import ArrivalTable
    from facemon.store.ledger.check_tables import CheckTables
    from facemon.store.ledger.command_table import CommandTable
    from facemon.store.ledger.delivery_table import DeliveryTable
    from facemon.store.ledger.evaluation_tables import EvaluationTables
    from facemon.store.ledger.file_tables import FileTables
    from facemon.store.ledger.node_tables import NodeTables
    from facemon.store.ledger.profile_table import ProfileTable
    from facemon.store.ledger.reference_tables import ReferenceTables
    from facemon.store.ledger.request_table import RequestTable
    from facemon.store.ledger.run_table import RunTable
    from facemon.store.ledger.segment_table import SegmentTable
    from facemon.store.ledger.stamp_columns import StampColumns
    from facemon.store.ledger.total_tables import TotalTables


class SqliteParts:
    """What keeps each part of `protocol.Ledger`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @cached_property
    def segments(self) -> "SegmentTable":
        from facemon.store.ledger.segment_table import SegmentTable

        return SegmentTable(self.connection)

    @cached_property
    def files(self) -> "FileTables":
        from facemon.store.ledger.file_tables import FileTables

        return FileTables(self.connection)

    @cached_property
    def totals(self) -> "TotalTables":
        from facemon.store.ledger.total_tables import TotalTables

        return TotalTables(self.connection)

    @cached_property
    def arrivals(self) -> "ArrivalTable":
        from facemon.store.ledger.arrival_table import ArrivalTable

        return ArrivalTable(self.connection)

    @cached_property
    def runs(self) -> "RunTable":
        from facemon.store.ledger.run_table import RunTable

        return RunTable(self.connection)

    @cached_property
    def requests(self) -> "RequestTable":
        from facemon.store.ledger.request_table import RequestTable

        return RequestTable(self.connection)

    @cached_property
    def references(self) -> "ReferenceTables":
        from facemon.store.ledger.reference_tables import ReferenceTables

        return ReferenceTables(self.connection)

    @cached_property
    def checks(self) -> "CheckTables":
        from facemon.store.ledger.check_tables import CheckTables

        return CheckTables(self.connection)

    @cached_property
    def evaluations(self) -> "EvaluationTables":
        from facemon.store.ledger.evaluation_tables import EvaluationTables

        return EvaluationTables(self.connection)

    @cached_property
    def commands(self) -> "CommandTable":
        from facemon.store.ledger.command_table import CommandTable

        return CommandTable(self.connection)

    @cached_property
    def deliveries(self) -> "DeliveryTable":
        from facemon.store.ledger.delivery_table import DeliveryTable

        return DeliveryTable(self.connection)

    @cached_property
    def nodes(self) -> "NodeTables":
        from facemon.store.ledger.node_tables import NodeTables

        return NodeTables(self.connection)

    @cached_property
    def stamps(self) -> "StampColumns":
        from facemon.store.ledger.stamp_columns import StampColumns

        return StampColumns(self.connection)

    @cached_property
    def profiles(self) -> "ProfileTable":
        from facemon.store.ledger.profile_table import ProfileTable

        return ProfileTable(self.connection)

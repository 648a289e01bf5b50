"""Names without an underscore that no other module of facemon takes, with the reason why they have none.

Of each module the names, separated by spaces.
"""

LOADED_BY_NAME = {
    "model/decoder_process.py": "main",
    "schedulers/ray_driver.py": "main",
}
"""What another process runs."""

FOR_TOOLS = {
    "cli/main.py": "run",
    "drift/comparison.py": "compare",
    "drift/quiet_reach.py": "reaches",
    "metrics/catalogue_page.py": "catalogue_page",
}
"""What tools and benchmarks call, and tests with them."""

LIMITS_OF_TESTS = {
    "cli/command.py": "COMMON",
    "config/faces.py": "TEMPLATES",
    "config/go_template.py": "FUNCTIONS TEMPLATES",
    "config/loader.py": "MAX_BYTES",
    "config/validation_faults.py": "PATTERNS",
    "domain/binning.py": "UNDERFLOW",
    "domain/clock_judgement.py": "EARLIEST LONGEST_IDLE",
    "domain/image_header.py": "MOST_FRAGMENTS MOST_SCANS",
    "domain/shard_queue.py": "MOST_RETRIES",
    "domain/source_buckets.py": "BUCKETS",
    "drift/column_shapes.py": "GROUPS",
    "drift/drift_check.py": "EVIDENTLY_NOTE LABELS_NOTE",
    "drift/source_verdicts.py": "NO_TIMES_NOTE",
    "drift/window_ladder.py": "MOST_SOURCES",
    "engines/processes.py": "MOST_CRASHES",
    "evaluation/evaluation.py": "SCHEMA",
    "evaluation/truth.py": "NO_LABEL",
    "metrics/catalogue_page.py": "EXAMPLES",
    "model/dlib_pyramid.py": "BOX_SIDE",
    "model/graph_files.py": "RUNTIME",
    "monitor/foreign_rows.py": "ROWS_AT_ONCE",
    "predict/object_blocks.py": "BLOCKS_AHEAD BLOCK_BYTES",
    "predict/fetching_ahead.py": "BYTES_AHEAD MOST_OUTAGES MOST_REQUESTS REQUESTS",
    "predict/inputs/registry.py": "INPUT_KINDS",
    "predict/output.py": "WRITERS",
    "predict/pipeline.py": "LARGEST_CHUNK",
    "render/dashboards/expressions.py": "MOST_LINES",
    "render/explained_query.py": "FUNCTIONS",
    "render/next_commands.py": "NEXT_COMMANDS",
    "render/provisioning.py": "DASHBOARDS_DIR",
    "render/recording_rules.py": "RECORDED",
    "render/rule_tests.py": "MAIN_FILE",
    "render/schedules/github_workflow.py": "CHECK_SCRIPT ISSUE_SCRIPT",
    "render/stack_text.py": "HEADER",
    "server/arriving_bodies.py": "CREDIT_SECONDS GRACE_SECONDS SAFE_RATE",
    "server/live_predictions.py": "MOST_HEAVY",
    "server/prediction_api.py": "NOT_READY_SECONDS",
    "store/compaction.py": "LARGEST_ROWS SMALL_ROWS",
    "store/ledger/profile_table.py": "MAX_SOURCES",
    "store/ledger/upgrade.py": "UPGRADE_PATIENCE_SECONDS WRITER_PATIENCE_SECONDS",
    "store/recovery.py": "GRACE_SECONDS",
    "store/recorded_commands.py": "record_command",
    "store/row_conditions.py": "COMPARISONS",
    "store/row_counts.py": "CONFIDENCES IMAGES PREDICTIONS",
    "store/segment_writer.py": "INLINE_ROWS SEGMENT_ROWS SEGMENT_SECONDS",
    "store/set_aside.py": "KEPT_AT_LEAST",
}
"""Limits and fixed texts that tests go up to or look for, so that no test repeats them."""

STEPS_OF_TESTS = {
    "available_cores.py": "cores_within cpu_quota",
    "cli/main.py": "usage_text",
    "config/builtin_bundles.py": "bundle_text",
    "config/go_template.py": "TemplateError",
    "config/quantities.py": "parse_size",
    "config/trusted_file.py": "trusted_users",
    "config/validation_faults.py": "known_keys",
    "domain/daily_spread.py": "Keys",
    "domain/spread.py": "add_spreads",
    "drift/dependence.py": "design_effect",
    "drift/evidently_report.py": "tagless",
    "drift/homogeneity.py": "binary_p_value",
    "drift/quiet_reach.py": "joint_reach",
    "drift/within_sources.py": "binary_within cochran_mantel_haenszel",
    "engines/processes.py": "worker_processes",
    "evaluation/paired_scores.py": "exact_interval sign_test",
    "evaluation/scores.py": "balanced_accuracy calibration_error confusion_matrix",
    "model/alignment.py": "similarity warped",
    "model/box_decoding.py": "grid_points",
    "model/bundle.py": "decodes_fast",
    "model/dlib_faces.py": "cache_folder frontal_detector",
    "predict/pipeline.py": "ChunkSize",
    "render/alert.py": "runbook_url",
    "render/objectives.py": "Pace burn_rates",
    "render/route_tests.py": "examples",
    "render/schedules/systemd_units.py": "on_calendar",
    "store/file_system.py": "file_system_of",
    "store/recorded_commands.py": "record_command",
    "store/report_files.py": "write_page_of_record",
    "store/store_clock.py": "read_clock",
    "store/windows.py": "by_source",
    "tables/number_notations.py": "foreign_numbers",
}
"""Single steps that tests hold against another computation, or try with more inputs than the whole can be given."""

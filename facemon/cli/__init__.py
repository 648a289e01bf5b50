"""The `facemon` command; collects garbage seldom, since nearly all that its start makes lives to its end."""

import gc

# Python looks for cycles after every 700 new objects. An import makes tens of thousands, none of which can go: a tenth
# of what a command takes to start. A command's own rows are Arrow columns, not objects.
gc.set_threshold(100_000, 20, 50)

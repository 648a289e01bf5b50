"""The `facemon` command; collects garbage seldom, since nearly all that its start makes lives to its end."""

import gc

# Python looks for cycles after every 700 new objects. An import makes tens of thousands, none of which can go: a tenth
# of what a command takes to start. A drift check has made 115,000 when it ends, and one look at them would cost 60 ms.
# A command's own rows are Arrow columns, not objects.
gc.set_threshold(250_000, 20, 50)

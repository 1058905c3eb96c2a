"""From files as read to plans: which requests, under which ids, scored how, judged by which conditions. Pure."""

"""SES Insights: what became of every mail that was sent.

``core`` decides and imports nothing of AWS; ``adapters`` talk to AWS; the modules beside them
join the two.
"""

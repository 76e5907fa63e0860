"""The page that `insights web` serves on loopback. It needs the extra `web`; nothing else does.

server       binds to loopback, prints the first address, and serves until Ctrl-C
app          the routes, put together
security     who is let in, and what a browser may do with the page
reading      AWS as the pages read it: clients that are kept, calls side by side
paging       pages of an index, with a place to go on from in the address
overview, search, message, alerts, parked
             one page each: what it reads, and what it shows
charts       bars of days, drawn on the server
words        what the templates say of times and counts
"""

"""Book and pay the nearest CCS2 plug for an hour: book_a_slot.py SITE [DAYS AHEAD]"""

import sys
from datetime import datetime, timedelta, timezone

from evcharge_client import Client

INDIA = timezone(timedelta(hours=5, minutes=30))
site, days = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
start = datetime.now(INDIA).replace(hour=15, minute=0, second=0, microsecond=0)
start, end = start + timedelta(days=days), start + timedelta(days=days, hours=1)
client = Client.log_in(site, "driver@example.com", "charge-demo-1")
where = next(client.locations(near=(12.98, 77.6), connector="ccs2", free=(start, end)))
free = client.free_evses(where.id, start, end)
evse = next(each for each in free if "ccs2" in each.plugs)
booking = client.book(evse.id, start, end)
client.pay(booking.id, outcome="succeed")
print(f"{booking.reference}: {where.name}, {evse.charger}, {start:%a %d %b %H:%M}")

#!/usr/bin/python3
"""A shop front: posts orders to the gateway as real shop fronts do.

Currencies, Unicode names and addresses, 1 to 200 lines, prices to the cent. One customer in twenty is
impatient and posts the same order again, with the same Idempotency-Key, before the first answer is there;
one order in a hundred violates the contract. The same seed posts the same orders (at other times). Standard library only.

  shop.py --url http://127.0.0.1:8000 --key weft_… --rate 20 --count 1000
"""

import argparse
import collections
import datetime
import decimal
import http.client
import json
import os
import queue
import random
import signal
import sys
import threading
import time
import urllib.parse
import uuid

CENT = decimal.Decimal("0.01")

# currency: (country, decimals that prices are rounded to, tax, price level)
MARKETS = {
    "EUR": (("DE", "FR", "NL", "FI", "AT"), "0.01", "0.19", 1),
    "SEK": (("SE",), "0.01", "0.25", 11),
    "GBP": (("GB",), "0.01", "0.20", 1),
    "USD": (("US",), "0.01", "0.07", 1),
    "CHF": (("CH",), "0.05", "0.081", 1),
    "PLN": (("PL",), "0.01", "0.23", 4),
    "JPY": (("JP",), "1", "0.10", 160),
}
NAMES = {
    "SE": ["Zoë Åkesson", "Björn Öberg", "Märta Sjögren"],
    "DE": ["Jürgen Groß", "Anna-Lena Müller", "Dr. Çağla Şahin"],
    "FR": ["Hélène Lefèvre", "François d’Aubigné", "Noël Garçon"],
    "NL": ["Sjoerd van der Weijden", "Anouk de Vries"],
    "FI": ["Päivi Hämäläinen", "Jyrki Väisänen"],
    "AT": ["Rosa Österreicher", "Leopold Weiß"],
    "GB": ["Siân O’Connor", "Nigel Smythe-Jones"],
    "US": ["José Hernández", "Mary Ann O'Neil", "Nguyễn Thị Minh Khai"],
    "CH": ["Urs Züllig", "Chiara Bernasconi"],
    "PL": ["Łukasz Żółkiewski", "Małgorzata Wójcik"],
    "JP": ["山田 太郎", "佐藤 花子", "髙橋 渚"],
}
CITIES = {
    "SE": [("Götgatan 14", "Malmö", "211 24"), ("Östra Ågatan 3", "Uppsala", "753 22")],
    "DE": [("Straße des 17. Juni 100", "Berlin", "10557"), ("Königsallee 1", "Düsseldorf", "40212")],
    "FR": [("12 bis, rue de l’Église", "Besançon", "25000"), ("3, allée des Cèdres", "Orléans", "45000")],
    "NL": [("’s-Gravenhekje 1a", "Amsterdam", "1011 TG")],
    "FI": [("Hämeenkatu 5 A 12", "Jyväskylä", "40100")],
    "AT": [("Größenaustraße 7/2", "Sankt Pölten", "3100")],
    "GB": [("Flat 2, 14 High Street", "Llanfairpwllgwyngyll", "LL61 5UJ")],
    "US": [("1600 Cañon Blvd Apt #4", "La Cañada Flintridge", "91011")],
    "CH": [("Bärenplatz 2", "Zürich", "8001")],
    "PL": [("ul. Świętokrzyska 30/63", "Łódź", "90-001")],
    "JP": [("東京都千代田区丸の内1丁目9-1", "千代田区", "100-0005")],
}
GOODS = [
    ("TEA-0042", "Earl Grey, loose leaf, 250 g", "9.95"), ("CUP-0007", "Porcelain cup “Müller”, white", "12.50"),
    ("POT-0011", "Teapot 1.2 ℓ, cast iron", "64.90"), ("SPN-0003", "Spoon \"Æther\", 18/10 steel", "3.20"),
    ("MAT-0910", "抹茶 (matcha), 30 g", "21.75"), ("HON-0200", "Honey — crème, 500 g", "7.49"),
    ("BIS-0100", "Biscuits, mixed \\ 24 pcs", "4.05"), ("KET-0001", "Kettle, 2 200 W", "89.00"),
    ("FLT-0500", "Paper filters № 4, 500 pcs", "6.15"), ("GFT-0009", "Gift box 🎁, large", "2.99"),
]
INVALID = ["no lines", "negative quantity", "currency in lower case", "three decimals", "no customer", "unknown member"]


def money(amount, step="0.01"):
    step = decimal.Decimal(step)
    return ((amount / step).quantize(decimal.Decimal(1), decimal.ROUND_HALF_UP) * step).quantize(CENT)


def number_of_lines(chance):
    """Most orders are small; a few are as large as the contract allows."""
    draw = chance.random()
    if draw < 0.90:
        return chance.randint(1, 8)
    if draw < 0.99:
        return chance.randint(9, 40)
    return chance.randint(41, 200)


def make_order(chance, number):
    currency = chance.choices(list(MARKETS), weights=[50, 15, 12, 12, 5, 4, 2])[0]
    countries, step, tax_rate, level = MARKETS[currency]
    country = chance.choice(countries)
    street, city, postal_code = chance.choice(CITIES[country])
    address = {"street": street, "city": city, "postalCode": postal_code, "country": country}
    lines = []
    for index in range(number_of_lines(chance)):
        sku, description, price = chance.choice(GOODS)
        factor = decimal.Decimal(chance.randint(80, 120)) / 100
        unit_price = money(decimal.Decimal(price) * level * factor, step)
        quantity = chance.choices([1, 2, 3, chance.randint(4, 500)], weights=[70, 18, 8, 4])[0]
        line = {"line": index + 1, "sku": sku, "description": description, "quantity": quantity,
                "unitPrice": unit_price, "total": unit_price * quantity}
        if chance.random() < 0.05:
            line["gift"] = True
        lines.append(line)
    net = sum(line["total"] for line in lines)
    tax = money(net * decimal.Decimal(tax_rate), step)
    placed = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    customer = chance.randint(1, 999999)
    order = {
        "orderId": f"SO-{number:08d}",
        "placedAt": placed.replace("+00:00", "Z"),
        "channel": chance.choices(["web", "app", "phone", "marketplace"], weights=[60, 30, 4, 6])[0],
        "currency": currency,
        "customer": {"customerId": f"C{customer:06d}", "name": chance.choice(NAMES[country]),
                     "email": f"customer{customer}@example.com"},
        "shippingAddress": address,
        "lines": lines,
        "totals": {"net": net, "tax": tax, "gross": net + tax},
    }
    if chance.random() < 0.1:
        order["note"] = chance.choice(["Bitte klingeln!\nDanke", "Leave at the door ☂", "¡Es un regalo!"])
    return order


def spoil(order, how):
    if how == "no lines":
        order["lines"] = []
    elif how == "negative quantity":
        order["lines"][0]["quantity"] = -1
    elif how == "currency in lower case":
        order["currency"] = order["currency"].lower()
    elif how == "three decimals":
        order["totals"]["net"] += decimal.Decimal("0.005")
    elif how == "no customer":
        del order["customer"]
    else:
        order["couponCode"] = "WELCOME"


def to_json(value):
    """JSON text in which a decimal keeps its digits: 19.90 stays 19.90."""
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Shop:
    def __init__(self, options):
        self.options = options
        url = urllib.parse.urlsplit(options.url)
        self.host, self.port, self.base = url.hostname, url.port or 80, url.path.rstrip("/")
        self.lock = threading.Lock()
        self.jobs = queue.Queue(maxsize=1000)
        self.answers = collections.Counter()
        self.first_answers = {}
        self.seconds = []
        self.bytes = 0
        self.expected_orders = 0
        self.surprises = []
        self.connection = threading.local()

    def post(self, body, key):
        for attempt in (1, 2):
            connection = getattr(self.connection, "value", None)
            is_fresh = connection is None
            if is_fresh:
                connection = http.client.HTTPConnection(self.host, self.port, timeout=self.options.timeout)
            fields = {"Content-Type": "application/json", "Idempotency-Key": key}
            if self.options.key:
                fields["Authorization"] = "Bearer " + self.options.key
            try:
                connection.request("POST", self.base + "/orders", body, fields)
                answer = connection.getresponse()
                content = answer.read()
                self.connection.value = connection if not answer.will_close else None
                return answer.status, content
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.connection.value = None
                # Safe to repeat: the key makes it the same order. Only a kept-alive connection may be stale.
                if is_fresh or attempt == 2:
                    return type(error).__name__, b""

    def work(self):
        while True:
            job = self.jobs.get()
            if job is None:
                return
            body, key, expected, is_repeat = job
            start = time.monotonic()
            status, content = self.post(body, key)
            elapsed = time.monotonic() - start
            with self.lock:
                self.answers[status] += 1
                self.seconds.append(elapsed)
                self.bytes += len(body)
                self.judge(key, status, content, expected)

    def judge(self, key, status, content, expected):
        if status != expected and len(self.surprises) < 5:
            self.surprises.append(f"{key}: expected {expected}, got {status} {content[:300].decode(errors='replace')}")
        if status != 201:
            return
        first = self.first_answers.setdefault(key, content)
        if first != content:
            self.surprises.append(f"{key}: the repeated request got another answer")

    def orders(self):
        chance = random.Random(self.options.seed)
        first = self.options.first if self.options.first is not None else chance.randint(1, 10**6) * 10
        for index in range(self.options.count or sys.maxsize):
            order = make_order(chance, first + index)
            key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
            expected = 201
            if chance.random() < self.options.invalid:
                spoil(order, chance.choice(INVALID))
                expected = self.options.invalid_status
            yield to_json(order).encode(), key, expected, chance.random() < self.options.impatient

    def run(self):
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(self.options.clients)]
        for thread in threads:
            thread.start()
        begin = time.monotonic()
        placed = 0
        try:
            for body, key, expected, is_impatient in self.orders():
                if self.options.rate:
                    time.sleep(max(0, begin + placed / self.options.rate - time.monotonic()))
                self.jobs.put((body, key, expected, False))
                if is_impatient:
                    self.jobs.put((body, key, expected, True))
                placed += 1
                self.expected_orders += expected == 201
        except KeyboardInterrupt:
            pass
        for _ in threads:
            self.jobs.put(None)
        for thread in threads:
            thread.join()
        return self.summary(placed, time.monotonic() - begin)

    def summary(self, placed, elapsed):
        seconds = sorted(self.seconds) or [0.0]

        def percentile(part):
            return round(1000 * seconds[min(len(seconds) - 1, int(part * len(seconds)))], 2)

        accepted = len(self.first_answers)
        print(json.dumps({
            "orders": placed, "requests": sum(self.answers.values()), "accepted": accepted,
            "expectedAccepted": self.expected_orders,
            "answers": {str(status): count for status, count in sorted(self.answers.items(), key=str)},
            "bytes": self.bytes, "seconds": round(elapsed, 3),
            "requestsPerSecond": round(sum(self.answers.values()) / elapsed, 1) if elapsed else None,
            "p50Ms": percentile(0.50), "p99Ms": percentile(0.99), "surprises": self.surprises}, ensure_ascii=False))
        return 0 if accepted == self.expected_orders and not self.surprises else 1


def stop_nicely(*_):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the gateway")
    parser.add_argument("--key", default=os.environ.get("SHOP_API_KEY", ""), help="API key; default $SHOP_API_KEY")
    parser.add_argument("--rate", type=float, default=5, help="orders per second; 0: as fast as it goes")
    parser.add_argument("--count", type=int, default=0, help="orders in all; 0: until stopped")
    parser.add_argument("--seed", type=int, default=None, help="for the same orders again; else by chance")
    parser.add_argument("--first", type=int, default=None, help="number of the first order")
    parser.add_argument("--clients", type=int, default=8, help="connections")
    parser.add_argument("--impatient", type=float, default=0.05, help="share of orders posted twice")
    parser.add_argument("--invalid", type=float, default=0.01, help="share of orders that violate the contract")
    parser.add_argument("--invalid-status", type=int, default=400, help="expected answer to those")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for one request")
    parser.add_argument("--print", action="store_true", help="print the orders instead of posting them")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, stop_nicely)
    shop = Shop(options)
    if options.print:
        for body, *_ in shop.orders():
            print(body.decode())
        return 0
    return shop.run()


if __name__ == "__main__":
    sys.exit(main())

import unittest
from types import SimpleNamespace

from handler import handle


def event(body=b"", query=None):
    return SimpleNamespace(body=body, query=query or {}, headers={}, method="GET", path="/")


class HandlerTest(unittest.TestCase):
    def test_greets_the_name_in_the_body(self):
        self.assertEqual(handle(event(b"Ada\n"), None)["body"], {"message": "Hello, Ada!"})

    def test_greets_the_name_in_the_query(self):
        self.assertEqual(handle(event(query={"name": "Grace"}), None)["body"], {"message": "Hello, Grace!"})

    def test_greets_the_world_without_a_name(self):
        self.assertEqual(handle(event(), None)["statusCode"], 200)


if __name__ == "__main__":
    unittest.main()

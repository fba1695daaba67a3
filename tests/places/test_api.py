"""Places by name, for programs."""


def ask(client, **query):
    return client.get("/api/v1/places", query_string=query)


def test_a_place_comes_with_where_it_is_and_its_name_in_hindi(client):
    [place] = ask(client, q="Tumk", limit=1).json["items"]

    assert place["label"] == "Tumkur, Karnataka"
    assert place["name_hindi"] == "तुमकुरु"
    assert place["kind"] == "town"
    assert (round(place["lat"], 1), round(place["lon"], 1)) == (13.3, 77.1)


def test_what_cannot_be_asked_is_refused(client):
    for query in ({}, {"q": ""}, {"q": "x" * 61}, {"q": "a", "limit": 21}):
        assert ask(client, **query).status_code == 400
    assert ask(client, q="a", limit=0).json["code"] == "invalid_request"

import re

from ovarnet import __version__


def test_about_the_model(make_client):
    about = make_client(note="drawn scenes alone").get("/api/model").json()
    assert about.pop("examples")[0]["file"] == "cat.jpg"
    assert about == {
        "name": "fake",
        "version": __version__,
        "note": "drawn scenes alone",
        "threshold": 0.3,
        "categories": ["mug", "car"],
        "attributes": ["red", "striped", "tiny"],
        "upload_bytes": 20_000_000,
        "pixels": 50_000_000,
        "products": 0,
    }


def test_the_description_of_the_api_works_offline(client):
    page = client.get("/docs").text
    loaded = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]+)"', page)
    assert len(loaded) >= 2
    for name in loaded:
        assert name.startswith("/")
        assert client.get(name).status_code == 200


def test_the_description_names_every_route_and_field(client):
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/model",
        "/api/images",
        "/api/images/{image}/detect",
        "/api/images/{image}/find",
        "/api/detect",
        "/api/find",
    }
    schemas = described["components"]["schemas"]
    assert {"DetectQuery", "FindQuery", "Picture", "Result", "Problem", "Model"} <= set(schemas)
    assert all("description" in field for field in schemas["DetectQuery"]["properties"].values())

"""The web page and the HTTP API of `ovarnet serve`.

A request passes the body limit, is checked against `schema`, waits in the `WorkQueue` for the one
thread that runs the model, and is answered by the `PictureService`. A further tab of the page is a
file of routes beside `detection_routes.py`, included in `app.create_app`, an HTML file in
`static/`, and a link in the `<nav>` of the others.
"""

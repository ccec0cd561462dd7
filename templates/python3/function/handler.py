def handle(event, context):
    """Answers every call. event has body (bytes), headers, method, query and path."""
    name = event.body.decode("utf-8").strip() or event.query.get("name") or "world"
    return {"statusCode": 200, "body": {"message": f"Hello, {name}!"}}

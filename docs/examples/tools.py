# A tool server of the Model Context Protocol that Falconer protects.
# FALCONER=https://auth.example.com ORIGIN=https://notes.example.com uvicorn tools:app --port 8082 --no-access-log
import os
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from falconer.asgi import Guard, caller_of

server = MCPServer("notes")
NOTES = {"red": "What stands in red.", "blue": "What stands in blue."}

async def need(context, scope):
    if not await caller_of(context.request_context.request.scope).has(scope):
        raise ToolError(f"You were not given {scope}.")

@server.tool()
async def read(book: str, context: Context) -> str:
    """What stands in a book."""
    await need(context, f"notes:read:{book}")
    return NOTES.get(book, "")

app = server.streamable_http_app(stateless_http=True, json_response=True)
guard = Guard(os.environ["FALCONER"], os.environ["ORIGIN"], protected_resource={"path": "/mcp", "scopes": ["notes:use", "notes:read:*"]})
app = guard.protect(app, "notes:use")

/**
 * What an operator needs to connect an agent: shown once, when its workspace is created without a URL.
 *
 * @module
 */
import * as Redacted from "effect/Redacted"
import type { Connection } from "../../services/platform/PlatformSchemas.ts"
import type { WorkspaceId } from "../../services/workspace/WorkspaceId.ts"

const curl = (
  platformUrl: string,
  id: WorkspaceId
) => `# Paste the token and the URL under which the platform reaches your agent.
WORKSPACE_AUTH_TOKEN="<paste auth_token>"
AGENT_URL="<https://your-agent.example>"
curl -fsS -X POST "${platformUrl}/registry/register" \\
  -H "Authorization: Bearer $WORKSPACE_AUTH_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"id":"${id}","url":"'"$AGENT_URL"'","agent_card":{"name":"my-agent","skills":[]}}'
`

const python = (
  platformUrl: string,
  id: WorkspaceId
) => `# Registers, then beats every 30 seconds. Standard library only.
import json, time, urllib.request

PLATFORM_URL = "${platformUrl}"
WORKSPACE_ID = "${id}"
TOKEN = "<paste auth_token>"
AGENT_URL = "<https://your-agent.example>"

def post(path, body):
    request = urllib.request.Request(
        PLATFORM_URL + path,
        data=json.dumps(body).encode(),
        headers={"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)

post("/registry/register", {"id": WORKSPACE_ID, "url": AGENT_URL, "agent_card": {"name": "my-agent", "skills": []}})
started = time.time()
while True:
    post("/registry/heartbeat", {"workspace_id": WORKSPACE_ID, "uptime_seconds": int(time.time() - started)})
    time.sleep(30)
`

/** The connection data; the token itself is in one field only, the snippets leave a place for it. */
export const describe = (platformUrl: string, id: WorkspaceId, token: Redacted.Redacted): typeof Connection.Type => ({
  workspace_id: id,
  platform_url: platformUrl,
  auth_token: Redacted.value(token),
  registry_endpoint: `${platformUrl}/registry/register`,
  heartbeat_endpoint: `${platformUrl}/registry/heartbeat`,
  curl_register_template: curl(platformUrl, id),
  python_snippet: python(platformUrl, id)
})

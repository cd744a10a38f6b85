import { assert, describe, it } from "@effect/vitest"
import {
  accessTable,
  credentials,
  expectedStatus,
  findRule,
  refusals,
  type Verdict
} from "../../../src/services/platform/Access.ts"

// Written by hand from the specification (platform.md section 1.6) and issue 3, which closes its holes. The table in the
// code decides and documents; tests that are derived from it cannot see a wrong line in it. This one can: a change of who
// may do what has to be made in both places.
//   a allowed (200), A allowed (201), p anyone (200), f first token (200)
//   m missing token (401), i invalid token (401), r admin required (401), n not the admin (401)
//   c missing caller token (401), w wrong caller token (401), s stop signal (404)
const byHand = `
                    none own other revoked deleted admin org
system.health       p    p   p     p       p       p     p
system.keys         p    p   p     p       p       p     p
workspaces.create   r    n   n     n       n       A     A
workspaces.list     r    n   n     n       n       a     a
workspaces.get      p    a   p     i       i       a     a
workspaces.patch    m    a   i     i       i       a     a
workspaces.delete   r    n   n     n       n       a     a
workspaces.state    m    a   i     i       s       a     a
registry.register   f    a   i     i       i       i     i
registry.heartbeat  m    a   i     i       i       i     i
registry.updateCard m    a   i     i       i       i     i
registry.discover   m    a   i     i       i       i     i
registry.peers      m    a   i     i       i       i     i
registry.checkAccess m   a   i     i       i       a     a
tokens.list         m    a   i     i       i       a     a
tokens.mint         m    A   i     i       i       A     A
tokens.revoke       m    a   i     i       i       a     a
orgTokens.list      r    n   n     n       n       a     a
orgTokens.mint      r    n   n     n       n       a     a
orgTokens.revoke    r    n   n     n       n       a     a
checkpoints.save    m    A   i     i       i       A     A
checkpoints.latest  m    a   i     i       i       a     a
checkpoints.list    m    a   i     i       i       a     a
checkpoints.delete  m    a   i     i       i       a     a
a2a.proxy           c    a   w     w       w       a     a
a2a.restGet         c    a   w     w       w       a     a
a2a.restPost        c    a   w     w       w       a     a
a2a.restDelete      c    a   w     w       w       a     a
inbox.pull          m    a   i     i       i       i     i
inbox.renew         m    a   i     i       i       i     i
inbox.answer        m    a   i     i       i       i     i
inbox.activity      m    a   i     i       i       a     a
inbox.notify        m    a   i     i       i       a     a`

const letters: Readonly<Record<string, readonly [Verdict, number]>> = {
  a: ["allow", 200],
  A: ["allow", 201],
  p: ["public", 200],
  f: ["firstToken", 200],
  m: ["missing", 401],
  i: ["invalid", 401],
  r: ["adminRequired", 401],
  n: ["adminInvalid", 401],
  c: ["callerMissing", 401],
  w: ["callerInvalid", 401],
  s: ["stop", 404]
}

const [header = "", ...lines] = byHand.trim().split("\n")
const rows = lines.map((line) => line.trim().split(/\s+/))

// Which part of the request names the workspace that it is about.
const subjects: Readonly<Record<string, string>> = {
  system: "none",
  "workspaces.create": "none",
  "workspaces.list": "none",
  workspaces: "path",
  "registry.register": "body.id",
  "registry.heartbeat": "body.workspace_id",
  "registry.updateCard": "body.workspace_id",
  "registry.discover": "header",
  "registry.peers": "path",
  inbox: "path",
  "registry.checkAccess": "body.caller_id",
  tokens: "path",
  orgTokens: "none",
  checkpoints: "path",
  a2a: "caller"
}

describe("the access table is what was written by hand", () => {
  it("has the same lines and columns", () => {
    assert.deepStrictEqual(header.trim().split(/\s+/), [...credentials])
    assert.sameMembers(
      rows.map(([key]) => key),
      Object.keys(accessTable)
    )
  })

  for (const [key = "", ...cells] of rows) {
    it(key, () => {
      const [group = "", endpoint = ""] = key.split(".")
      const rule = findRule(group, endpoint)
      assert.strictEqual(rule?.subject, subjects[key] ?? subjects[group])
      credentials.forEach((credential, column) => {
        const [verdict, status] = letters[cells[column] ?? ""] ?? []
        assert.strictEqual(rule?.verdicts[credential], verdict, credential)
        const known = Object.keys(accessTable).find((name): name is keyof typeof accessTable => name === key)
        assert.strictEqual(known === undefined ? 0 : expectedStatus(known, credential), status, credential)
      })
    })
  }

  it("refuses in the original platform's words", () => {
    assert.deepStrictEqual(
      Object.entries(refusals).map(([verdict, { error, status }]) => [verdict, status, error]),
      [
        ["missing", 401, "missing workspace auth token"],
        ["invalid", 401, "invalid workspace auth token"],
        ["adminRequired", 401, "admin auth required"],
        ["adminInvalid", 401, "invalid admin auth token"],
        ["callerMissing", 401, "missing caller auth token"],
        ["callerInvalid", 401, "invalid caller auth token"],
        ["stop", 404, "workspace deleted"]
      ]
    )
  })
})

/**
 * `docs/compatibility.md` is as the catalogue makes it, and the catalogue tells the truth about the API and about the tests.
 */
import { assert, describe, it } from "@effect/vitest"
import * as HttpApi from "effect/http-api/HttpApi"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { PlatformApi } from "../../src/services/platform/PlatformApi.ts"
import { TeamApi } from "../../src/services/platform/TeamApi.ts"
import { unserved, unservedSentence } from "../../src/services/platform/Unserved.ts"
import { titlesIn } from "../support/titles.ts"
import { document, lists, testsOf } from "./document.ts"
import type { Route } from "./route.ts"
import { besideApi, groups, own } from "./routes.ts"

const endpoints: Array<string> = []
const ofTeam: Array<string> = []
const into = (found: Array<string>) => ({
  onGroup: () => undefined,
  onEndpoint: ({ endpoint }: { readonly endpoint: { readonly method: string; readonly path: string } }) => {
    found.push(`${endpoint.method} ${endpoint.path}`)
  }
})
HttpApi.reflect(PlatformApi, into(endpoints))
HttpApi.reflect(TeamApi, into(ofTeam))

const originals = groups.flatMap(({ routes }) => routes)
const all: ReadonlyArray<Route> = [...originals, ...own.routes]
// Two names of a parameter are one route.
const shape = (route: string) => route.replaceAll(/:\w+/g, ":")

describe("the compatibility table", () => {
  it("is as its catalogue makes it (npm run compatibility)", () => {
    assert.strictEqual(readFileSync(new URL("../../docs/compatibility.md", import.meta.url), "utf8"), document())
  })

  it("says served of every endpoint of the API, and of no other", () => {
    const said = all.filter(({ standing }) => standing._tag === "served").map(({ route }) => route)
    assert.sameMembers(
      said,
      [...endpoints, ...besideApi],
      "a new endpoint goes into test/compatibility/routes.ts as served"
    )
    for (const endpoint of ofTeam) assert.include(endpoints, endpoint)
  })

  it("has every route once", () => {
    const shapes = all.map(({ route }) => shape(route))
    assert.strictEqual(new Set(shapes).size, shapes.length, "a route stands twice")
  })

  it("says 501 of what is answered so, and of nothing else", () => {
    for (const { route, standing } of all) {
      const [method = "", path = ""] = route.split(" ")
      const told = unservedSentence(method, path.replaceAll(/:\w+/g, "x"))
      assert.strictEqual(told, standing._tag === "unserved" ? standing.sentence : undefined, route)
    }
    const routes = Object.values(unserved).flatMap((one): ReadonlyArray<string> => one.routes)
    const said = all.filter(({ standing }) => standing._tag === "unserved").map(({ route }) => route)
    assert.sameMembers(said, routes)
  })

  it("names tests that there are", () => {
    for (const { standing } of all) {
      if (standing._tag !== "served") continue
      for (const { file, title } of standing.shown) assert.isTrue(titlesIn(file).has(title), `${file}: ${title}`)
    }
  })
})

const specification = (file: string) => fileURLToPath(new URL(`../../../shared/spec/${file}`, import.meta.url))

describe("the tables of defects", () => {
  for (const list of lists) {
    const { defects, letter, source, title } = list
    it(`${title}: a defect is tested exactly where a test has its number`, () => {
      for (const defect of defects) {
        const label = `${letter}${defect.number}`
        const many = testsOf(list, defect).length
        if (defect.standing === "tested") assert.isAbove(many, 0, `${label} has no test of its number`)
        else {
          assert.strictEqual(many, 0, `${label} has a test: say so in test/compatibility`)
          assert.isAbove(defect.note.length, 10, label)
        }
      }
    })

    it(`${title}: every number once, in order`, () => {
      assert.deepStrictEqual(
        defects.map(({ number }) => number),
        defects.map((_, index) => index + 1)
      )
    })

    it.skipIf(!existsSync(specification(source.file)))(`${title}: as many as ${source.file} has`, () => {
      const [, list = ""] = readFileSync(specification(source.file), "utf8").split(source.after)
      const numbers = list
        .split(/\n## /)[0]
        ?.split("\n")
        .flatMap((line) => (source.row.exec(line)?.[1] === undefined ? [] : [Number(source.row.exec(line)?.[1])]))
      assert.deepStrictEqual(
        numbers,
        defects.map(({ number }) => number)
      )
    })
  }
})

/**
 * `docs/compatibility.md`, made of the catalogue: `npm run compatibility` writes it.
 *
 * @module
 */
import { nameOf, type Shown, tableRow, testFiles, titlesIn } from "../support/titles.ts"
import type { Defect, DefectList } from "./defect.ts"
import { core, remote } from "./defectsCore.ts"
import { more } from "./defectsMore.ts"
import type { Route, RouteGroup, Standing } from "./route.ts"
import { groups, own } from "./routes.ts"

const standings = { served: "served", later: "later", never: "never", open: "open" } as const

const standingOf = (standing: Standing) => (standing._tag === "unserved" ? standing.plan : standing._tag)

const cells = (standing: Standing): readonly [string, string] => {
  switch (standing._tag) {
    case "served":
      return [standing.differs, standing.shown.map(nameOf).join("; ")]
    case "unserved":
      return [`501: ${standing.sentence}`, ""]
    default:
      return ["404", ""]
  }
}

const row = ({ route, section, standing }: Route) =>
  tableRow([`\`${route}\``, section, standings[standingOf(standing)], ...cells(standing)])

const group = ({ routes, title }: RouteGroup) =>
  [
    `### ${title}`,
    "",
    "| route | § | | how ours differs, or what to do without it | shown by |",
    "|---|---|---|---|---|",
    ...routes.map(row),
    ""
  ].join("\n")

const all = groups.flatMap(({ routes }) => routes)
const count = (name: keyof typeof standings) => all.filter(({ standing }) => standingOf(standing) === name).length

/** The three lists. */
export const lists: ReadonlyArray<DefectList> = [core, more, remote]

const numbered = /\b(platform defect|platform-more defect|remote U) ?(\d+)\b/g

// By label and number, the tests that have them in their titles, before the first colon.
const found = new Map<string, Array<Shown>>()
for (const file of testFiles()) {
  for (const title of titlesIn(file)) {
    const [before = "", ...rest] = title.split(": ")
    if (rest.length === 0) continue
    for (const [, label, number] of before.matchAll(numbered)) {
      const key = `${label} ${number}`
      found.set(key, [...(found.get(key) ?? []), { file, title }])
    }
  }
}

/** The tests of a defect. */
export const testsOf = (list: DefectList, { number }: Defect): ReadonlyArray<Shown> =>
  found.get(`${list.label} ${number}`) ?? []

const defectRow = (list: DefectList, defect: Defect) => {
  const shown = testsOf(list, defect).map(nameOf).join("; ")
  return tableRow([`${list.letter}${defect.number}`, defect.what, defect.standing, defect.note, shown])
}

const defectTable = (list: DefectList) => {
  const many = (standing: Defect["standing"]) => list.defects.filter((one) => one.standing === standing).length
  return [
    `### ${list.title}`,
    "",
    `${many("tested")} tested, ${many("none")} none, ${many("open")} open.`,
    "",
    "| no. | what the original does | | | shown by |",
    "|---|---|---|---|---|",
    ...list.defects.map((defect) => defectRow(list, defect)),
    ""
  ].join("\n")
}

/** The document. */
export const document = (): string =>
  `# What of the original platform is served

Made by \`npm run compatibility\` from \`test/compatibility\`; \`npm test\` looks whether it is as that makes it, whether it has every
endpoint of the API and no other, and whether each test is there under its name.

Of ${all.length} routes of the original's control plane ${count("served")} are **served**. ${count("later")} are planned
(**later**) and ${count("never")} are not (**never**): these answer 501 with the sentence that stands here, to everyone, whatever
they are sent. ${count("open")} are wanted and not built yet (**open**): they are 404. One process serves one database; several
replicas are for later.

§ is the section of the specification of the core, M§ of that of the rest. P1, M1 and U1 are numbers in their lists of defects.

## Routes

${[...groups, own].map(group).join("\n")}
## Defects

The numbered defects of the original's code, by the lists of the specifications. **tested**: a test with the number in its title
shows that ours has it not. **none**: it concerns nothing that is served here. **open**: what it concerns is not built yet.

${lists.map(defectTable).join("\n")}`.trimEnd() + "\n"

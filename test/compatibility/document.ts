/**
 * `docs/compatibility.md`, made of the catalogue: `npm run compatibility` writes it.
 *
 * @module
 */
import { nameOf, tableRow } from "../support/titles.ts"
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

${[...groups, own].map(group).join("\n")}`.trimEnd() + "\n"

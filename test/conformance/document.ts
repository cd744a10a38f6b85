/**
 * `docs/a2a-conformance.md`, made of the catalogue: `npm run conformance` writes it.
 *
 * @module
 */
import { bindings10 } from "./bindings10.ts"
import { card10 } from "./card10.ts"
import { contexts10 } from "./contexts10.ts"
import { data10 } from "./data10.ts"
import { operations10 } from "./operations10.ts"
import type { Requirement, Section } from "./requirement.ts"
import { security10 } from "./security10.ts"
import { text03 } from "./text03.ts"
import { nameOf, tableRow } from "../support/titles.ts"

/** A text, and what it asks for. */
export interface Text {
  readonly name: string
  /** The file in which its lines are counted. */
  readonly file: string
  readonly words: RegExp
  readonly sections: ReadonlyArray<Section>
}

/** The two texts. */
export const texts: ReadonlyArray<Text> = [
  {
    name: "A2A 1.0",
    file: "specification-1.0.1.md",
    words: /\b(MUST|SHOULD|SHALL|REQUIRED|RECOMMENDED)\b/,
    sections: [...operations10, ...contexts10, ...data10, ...card10, ...bindings10, ...security10]
  },
  { name: "A2A 0.3", file: "specification-0.3.0.md", words: /\b(MUST|SHALL|REQUIRED)\b/, sections: text03 }
]

const cell = ({ shown }: Requirement) => (typeof shown === "string" ? shown : shown.map(nameOf).join("; "))

const row = (requirement: Requirement) => {
  const { level, line, party, shown, what } = requirement
  return tableRow([line, level, party, what, typeof shown === "string" ? "–" : "shown", cell(requirement)])
}

const section = ({ requirements, title }: Section) =>
  [
    `### ${title}`,
    "",
    "| line | level | whom | what | | by which test, or why not |",
    "|---|---|---|---|---|---|",
    ...requirements.map(row),
    ""
  ].join("\n")

const counted = ({ sections }: Text) => {
  const all = sections.flatMap(({ requirements }) => requirements)
  const of = (level: string, wanted: (one: Requirement) => boolean) =>
    all.filter((one) => one.level === level && wanted(one)).length
  const isShown = ({ shown }: Requirement) => typeof shown !== "string"
  return ["MUST", "SHOULD"].flatMap((level) => {
    const many = of(level, () => true)
    return many === 0 ? [] : [`${of(level, isShown)} of ${many} ${level}`]
  })
}

const text = (one: Text) =>
  [`## ${one.name}`, "", `Shown by tests: ${counted(one).join(", ")}.`, "", ...one.sections.map(section)].join("\n")

/** The document. */
export const document = (): string =>
  `# What of A2A is shown, and what not

Made by \`npm run conformance\` from \`test/conformance\`; \`npm test\` looks whether it is as that makes it, and whether each test
is there under its name. A row is a line of the specification's text (1.0.1 of 2026, and 0.3.0) in which a word of RFC 2119
stands: every MUST and SHOULD of 1.0, every MUST of 0.3, in our own words. Where the texts are at hand (\`../shared/spec\`), a test
counts their lines. "–" means that no test shows it, and why.

The command line has a report of its own, by the requirements of its specification: [Tier 1](a2a-cli-compliance.md). The agent
that foreign test kits can be run against is in [a2a-test-agent.md](a2a-test-agent.md).

${texts.map(text).join("\n")}`.trimEnd() + "\n"

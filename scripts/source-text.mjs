// What of a TypeScript file is code. Plain JavaScript without dependencies.

const beforeRegExp = /(?:^|[([{,;=:!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|yield|do|else))\s*$/

/**
 * The text with its comments, strings, templates and regular expressions blanked out, each character by a space, line
 * breaks kept: an index into the one is an index into the other. Quotes stay, and so does the word "unbounded".
 */
export const codeOf = (text) => {
  const out = text.split("")
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (text[i] !== "\n") out[i] = " "
  }
  // For each open template: how many braces are open in the expression that we are in.
  const templates = []
  let at = 0

  // Blanks the template's text from `at`, up to its end or its next expression.
  const template = () => {
    const from = at
    while (at < text.length && text[at] !== "`" && !text.startsWith("${", at)) at += text[at] === "\\" ? 2 : 1
    blank(from, Math.min(at, text.length))
    if (text[at] === "`") at++
    else if (at < text.length) {
      templates.push(0)
      at += 2
    }
  }

  while (at < text.length) {
    const from = at
    const char = text[at]
    if (text.startsWith("//", at) || (at === 0 && text.startsWith("#!"))) {
      at = text.indexOf("\n", at)
      if (at < 0) at = text.length
      blank(from, at)
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2)
      at = end < 0 ? text.length : end + 2
      blank(from, at)
    } else if (char === '"' || char === "'") {
      at++
      while (at < text.length && text[at] !== char && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1
      if (text.slice(from + 1, at) !== "unbounded") blank(from + 1, Math.min(at, text.length))
      at++
    } else if (char === "`") {
      at++
      template()
    } else if (char === "/" && beforeRegExp.test(out.slice(Math.max(0, at - 80), at).join(""))) {
      at++
      for (let set = false; at < text.length && text[at] !== "\n" && (set || text[at] !== "/"); at++) {
        if (text[at] === "\\") at++
        else if (text[at] === "[") set = true
        else if (text[at] === "]") set = false
      }
      blank(from + 1, Math.min(at, text.length))
      at++
    } else {
      at++
      const depth = templates.length - 1
      if (depth < 0) continue
      if (char === "{") templates[depth]++
      else if (char === "}" && templates[depth]-- === 0) {
        templates.pop()
        template()
      }
    }
  }
  return out.join("")
}

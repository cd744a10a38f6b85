/**
 * The message of `a2a send`: its parts in the order of the command line.
 *
 * @module
 */
import * as Base64 from "effect/encoding/Base64"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { Message, Part } from "../services/durable/Content.ts"
import type { GivenPart } from "./a2aArguments.ts"
import { local } from "./a2aErrors.ts"
import type { Settings } from "./a2aSettings.ts"

const usage = (message: string) => local("USAGE", message, "a2a send --help")
const json = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

// The few that people send; for others there is --media-type.
const types: Readonly<Record<string, string>> = {
  ".txt": "text/plain",
  ".md": "text/markdown",
  ".csv": "text/csv",
  ".html": "text/html",
  ".json": "application/json",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".pdf": "application/pdf",
  ".zip": "application/zip",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
  ".mp4": "video/mp4"
}

const filePart = Effect.fnUntraced(function* (place: string, given: string | undefined) {
  const path = yield* Path.Path
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(place) && !place.startsWith("file:")
  const filename = path.basename(isUrl ? new URL(place).pathname : place)
  const mediaType = given ?? types[path.extname(filename).toLowerCase()]
  const about = { ...(filename !== "" && { filename }), ...(mediaType !== undefined && { mediaType }) }
  if (isUrl) return { url: place, ...about }
  const files = yield* FileSystem.FileSystem
  const file = place.startsWith("file:") ? yield* Effect.orDie(path.fromFileUrl(new URL(place))) : place
  const bytes = yield* Effect.mapError(files.readFile(file), (error) =>
    usage(`--file cannot be read: ${error.message}`)
  )
  return { raw: Base64.encode(bytes), ...about }
})

const dataPart = Effect.fnUntraced(function* (place: string) {
  const text =
    place === "-"
      ? Stream.mkString(Stream.decodeText((yield* Stdio.Stdio).stdin))
      : (yield* FileSystem.FileSystem).readFileString(place)
  const content = json(yield* Effect.mapError(text, (error) => usage(`--data cannot be read: ${error.message}`)))
  return Option.isSome(content) ? { data: content.value } : yield* usage(`--data is not JSON: ${place}`)
})

const partOf = Effect.fnUntraced(function* ({ option, value }: GivenPart, mediaType: string | undefined) {
  switch (option) {
    case "file":
      return yield* filePart(value, mediaType)
    case "data":
      return { ...(yield* dataPart(value)), ...(mediaType !== undefined && { mediaType }) }
    default:
      return { text: value, ...(mediaType !== undefined && { mediaType }) }
  }
})

/** Makes the message. Words that are no options are one text, where the first of them stands. */
export const make = Effect.fn("a2a.message")(function* (
  given: ReadonlyArray<GivenPart>,
  args: ReadonlyArray<string>,
  settings: Settings
) {
  const parts: Array<Part> = []
  let saidArgs = false
  for (let at = 0; at < given.length; at++) {
    const part = given[at]
    if (part === undefined) continue
    if (part.option === "media-type") return yield* usage("--media-type must follow --text, --file or --data")
    // An argument is a part only once.
    if (part.option === "argument") {
      if (!saidArgs) parts.push({ text: args.join(" ") })
      saidArgs = true
      continue
    }
    const next = given[at + 1]
    const mediaType = next?.option === "media-type" ? next.value : undefined
    if (mediaType !== undefined) at++
    parts.push(yield* partOf(part, mediaType))
  }
  const [first, ...rest] = parts
  if (first === undefined) return yield* usage("there is nothing to send: give a text, --text, --file or --data")
  const contextId = settings.text("context-id")
  const taskId = settings.text("task-id")
  const message: Message = {
    messageId: yield* (yield* SecureRandom.SecureRandom).uuidV4(),
    role: "ROLE_USER",
    parts: [first, ...rest],
    ...(contextId !== undefined && { contextId }),
    ...(taskId !== undefined && { taskId })
  }
  return message
})

/**
 * Postgres as the stores want it: whole numbers are numbers, and a text may have any character in it.
 *
 * @module
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as PgTypes from "@effect/sql-pg/PgTypes"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Url from "effect/http/Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import type * as Statement from "effect/sql/Statement"

/** Where the database is, and how many connections to it there may be. */
export interface Options {
  /** As in `postgres://user:password@host:5432/database`. */
  readonly url: Redacted.Redacted
  readonly maxConnections?: number
}

/** There is no such database, or it does not let us in. The URL's password is not in it. */
export class DatabaseUnreachable extends Schema.TaggedError<DatabaseUnreachable>()("DatabaseUnreachable", {
  /** Host, port and name of the database. */
  where: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the database ${this.where} cannot be used: ${this.detail}; see that the server runs, that the database exists, and that DATABASE_URL has its user and password`
  }
}

/** Connections by default: more than the platform's stores have work for on a few cores, and a tenth of what Postgres allows. */
const maxConnections = 10

// Postgres keeps no NUL in a text, SQLite does; U+FFFE is no character, and so a mark before what stands for one.
const mark = "\uFFFE"
const hidden = /[\0\uFFFE]/g
const hide = (text: string) => text.replace(hidden, (char) => (char === mark ? `${mark}1` : `${mark}0`))
const reveal = (text: string) =>
  text.includes(mark) ? text.replace(/\uFFFE([01])/g, (_, digit) => (digit === "1" ? mark : "\0")) : text
const encoder = new TextEncoder()
const decoder = new TextDecoder()

// A `bigint` of ours is a count or a time in milliseconds, which a double holds exactly; one that it does not is a fault.
const types = () => {
  const registry = PgTypes.makeRegistry()
  registry.register<number>(PgTypes.OID.int8, {
    encode: (value) => {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigInt64(0, BigInt(value))
      return Result.succeed(bytes)
    },
    decode: (bytes) => {
      const value = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(0))
      return Number.isSafeInteger(value)
        ? Result.succeed(value)
        : Result.fail(new PgTypes.CodecError({ message: `${value} is more than a number holds exactly` }))
    }
  })
  registry.register<string>(PgTypes.OID.text, {
    encode: (text) => Result.succeed(encoder.encode(text)),
    decode: (bytes) => Result.succeed(reveal(decoder.decode(bytes)))
  })
  return registry
}

// A text goes to the database as it is, whatever its column: so it is here that NUL has to go.
const hiding = (compiler: Statement.Compiler): Statement.Compiler => ({
  ...compiler,
  compile: (statement, withoutTransform) => {
    const [text, params] = compiler.compile(statement, withoutTransform)
    return [text, params.map((param) => (typeof param === "string" ? hide(param) : param))]
  }
})

// A transaction in which a statement failed ends in nothing, and Postgres calls that a commit.
const commit = (connection: Connection) =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) =>
    Predicate.hasProperty(result, "command") && result.command === "ROLLBACK"
      ? Effect.fail(
          new SqlError({
            reason: new UnknownError({
              cause: new Error("a statement of the transaction had failed"),
              message: "Postgres rolled the transaction back",
              operation: "commit"
            })
          })
        )
      : Effect.void
  )

const unreachable = (url: Redacted.Redacted, error: SqlError) => {
  const { host, pathname } = Result.getOrElse(Url.fromString(Redacted.value(url)), () => ({ host: "", pathname: "" }))
  const { cause } = error.reason
  return new DatabaseUnreachable({
    where: `${host}${pathname}`,
    detail: cause instanceof Error ? cause.message : error.message
  })
}

const make = Effect.fnUntraced(function* ({ url, ...options }: Options) {
  const { reserve } = yield* PgClient.make({
    url,
    types: types(),
    applicationName: "molecule-platform",
    maxConnections: options.maxConnections ?? maxConnections
  })
  // The first look tells whether there is such a database.
  yield* Effect.scoped(Effect.flatMap(reserve, (connection) => connection.executeRaw("SELECT 1", []))).pipe(
    Effect.mapError((error) => unreachable(url, error))
  )
  return yield* SqlClient.make({
    acquirer: reserve,
    transactionAcquirer: reserve,
    compiler: hiding(PgClient.makeCompiler()),
    driver: "sql-pg",
    prepareTransactionControls: true,
    commit,
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "postgresql"]]
  })
})

/**
 * The client for the database at the URL, as long as the layer lives.
 *
 * **Example**
 *
 * ```ts
 * const Sql = PostgresClient.layerWith({ url: Redacted.make("postgres://molecule@127.0.0.1/molecule") })
 * ```
 */
export const layerWith = (options: Options) =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

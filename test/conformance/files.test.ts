import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { Ajv2020 } from "ajv/dist/2020.js"
import { type Case, isRequest } from "../../adapters/conformance/case.ts"
import { loadKit } from "../../adapters/conformance/load.ts"
import { type Bindings, fill, readTemplate } from "../../adapters/conformance/template.ts"
import { isClients, REQUIREMENTS } from "../requirements.ts"
import { files, jsonSchema, requirements, variables } from "../vectors/build.ts"

const FOLDER = fileURLToPath(new URL("../vectors/", import.meta.url))
const read = (name: string): unknown => JSON.parse(readFileSync(FOLDER + name, "utf8"))
const kit = loadKit()

/** Of the data plane: see the README of the vectors. */
const WITHOUT = ["S-41", "S-125", "S-135"]

describe("the files of the vectors", () => {
  it("are what `node test/vectors/build.ts` writes", () => {
    for (const [name, file] of Object.entries(files))
      assert.deepEqual(read(`${name}.json`), JSON.parse(JSON.stringify({ $schema: "./schema.json", ...file })), name)
    assert.deepEqual(read("requirements.json"), requirements)
    assert.deepEqual(read("variables.json"), variables)
    assert.deepEqual(read("schema.json"), JSON.parse(JSON.stringify(jsonSchema())))
  })

  it("are all that is in the folder", () => {
    const others = ["requirements.json", "variables.json", "schema.json", "fuzz-cases.json"]
    const found = readdirSync(FOLDER).filter((name) => name.endsWith(".json") && !others.includes(name))
    assert.deepEqual(
      found.sort(),
      Object.keys(files)
        .map((name) => `${name}.json`)
        .sort(),
    )
  })

  it("fit their JSON Schema by another reader's judgement", () => {
    const schema = read("schema.json")
    assert.ok(typeof schema === "object" && schema !== null)
    const check = new Ajv2020({ strict: false }).compile(schema)
    for (const name of Object.keys(files)) assert.ok(check(read(`${name}.json`)), JSON.stringify(check.errors))
    assert.equal(check({ title: "no cases" }), false)
  })

  it("hold 400 cases and more, each with an id of its own", () => {
    const ids = kit.cases.map(({ id }) => id)
    assert.ok(ids.length >= 400, `${ids.length}`)
    assert.equal(new Set(ids).size, ids.length)
  })

  it("show every requirement for servers, but for those of the data plane", () => {
    const shown = new Set(kit.cases.flatMap((test) => test.requirements))
    const listed = REQUIREMENTS.filter((one) => !isClients(one)).map(({ id }) => id)
    assert.deepEqual(
      listed.filter((id) => !shown.has(id)),
      WITHOUT,
    )
    const known = new Set(kit.requirements.map(({ id }) => id))
    assert.deepEqual(
      [...shown].filter((id) => !known.has(id)),
      [],
    )
  })

  it("have templates that can be read and requests that can be sent", () => {
    for (const test of kit.cases) for (const template of templates(test)) assert.ok(readTemplate(template).ok, template)
    for (const test of kit.cases) assertSendable(test)
  })
})

const templates = ({ steps }: Case): readonly string[] =>
  steps
    .filter(isRequest)
    .flatMap(({ send, expect }) => [send, ...(Array.isArray(expect) ? expect : [expect])])
    .filter((template) => template !== null)

/** Every variable of a request is one of its kind's, or kept by an earlier answer of the case. */
const assertSendable = (test: Case): void => {
  const kind = test.kinds?.[0] ?? "nat444"
  const bindings = new Map<string, Uint8Array>(
    Object.keys(kit.variables[kind]).map((name) => [name, new Uint8Array(1)]),
  )
  for (const step of test.steps) {
    if (!isRequest(step)) continue
    const filled = fill(step.send, bindings satisfies Bindings)
    assert.ok(filled.ok, `${test.id}: ${filled.ok ? "" : filled.text}`)
    for (const template of typeof step.expect === "string" ? [step.expect] : (step.expect ?? []))
      for (const [, name] of (template ?? "").matchAll(/\{(\w+):\d+\}/g)) bindings.set(name, new Uint8Array(1))
    for (const { name, minus, differsFrom, parityOf } of step.where ?? [])
      for (const used of [name, minus, differsFrom, parityOf])
        assert.ok(used === undefined || bindings.has(used), `${test.id}: nothing is kept as ${used}`)
  }
}

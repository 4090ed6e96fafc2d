/** Writes `schema/serve.schema.json` from the description of the configuration file: `node test/schema.ts`. */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { z } from "zod"
import { SERVE_CONFIG } from "../adapters/cli/config/schema.ts"

/** The JSON Schema of what a file may hold. */
export const serveSchema = (): object =>
  z.toJSONSchema(SERVE_CONFIG, {
    io: "input",
    target: "draft-2020-12",
    override: ({ zodSchema, jsonSchema }) => {
      // Left out by itself wherever a text becomes a value: that default would be one of the value.
      const preset = z.globalRegistry.get(zodSchema)?.default
      if (preset !== undefined) jsonSchema.default = JSON.parse(JSON.stringify(preset))
    },
  })

if (import.meta.main) {
  const root = join(import.meta.dirname, "..")
  const path = join(root, "schema/serve.schema.json")
  writeFileSync(path, `${JSON.stringify(serveSchema(), null, 2)}\n`)
  spawnSync(join(root, "node_modules/.bin/biome"), ["format", "--write", path], { cwd: root })
}

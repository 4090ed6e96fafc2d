/**
 * Writes the vectors: `node test/vectors/build.ts`. The tables in build/ are put together from the figures and the words of the
 * RFCs; nothing here runs the code that the vectors test.
 */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { z } from "zod"
import type { VectorFile } from "../../adapters/conformance/case.ts"
import { VECTOR_FILE } from "../../adapters/conformance/schema.ts"
import { pushes } from "./build/announce.ts"
import { choice } from "./build/choice.ts"
import { deletions } from "./build/deletion.ts"
import { describing } from "./build/description.ts"
import { existingMappings } from "./build/existing.ts"
import { remoteFilters } from "./build/filter.ts"
import { lifetimes } from "./build/lifetime.ts"
import { limits } from "./build/limit.ts"
import { mapping } from "./build/map.ts"
import { natPmp } from "./build/natpmp.ts"
import { natPmpMappings } from "./build/natpmp-mapping.ts"
import { options } from "./build/option.ts"
import { peers } from "./build/peer.ts"
import { pipeline } from "./build/pipeline.ts"
import { portSets } from "./build/port-set.ts"
import { prefix64 } from "./build/prefix64.ts"
import { recycled } from "./build/recycle.ts"
import { requirements } from "./build/requirements.ts"
import { response } from "./build/response.ts"
import { stateless } from "./build/stateless.ts"
import { thirdParties } from "./build/third-party.ts"
import { thirdPartyIds } from "./build/third-party-id.ts"
import { variables } from "./build/variables.ts"

/** The files by name. */
export const files: Readonly<Record<string, VectorFile>> = {
  pipeline: { title: "What is answered, what is dropped, in which order", cases: pipeline },
  response: { title: "What responses carry; other versions", cases: response },
  option: { title: "Options: structure, order, mandatory and optional", cases: options },
  map: { title: "MAP: protocols, ports, nonces", cases: mapping },
  existing: { title: "MAP for an internal end that has a mapping", cases: existingMappings },
  choice: { title: "MAP: the choice of the external end", cases: choice },
  limit: { title: "Limits, SCTP, traffic and leases", cases: limits },
  stateless: { title: "NPTv6 and firewalls", cases: stateless },
  peer: { title: "PEER", cases: peers },
  "third-party": { title: "THIRD_PARTY", cases: thirdParties },
  filter: { title: "PREFER_FAILURE and FILTER", cases: remoteFilters },
  lifetime: { title: "Lifetimes", cases: lifetimes },
  deletion: { title: "Deletion", cases: deletions },
  recycle: { title: "The reuse of freed ports", cases: recycled },
  announce: { title: "Epoch Time, ANNOUNCE, mapping updates", cases: pushes },
  natpmp: { title: "NAT-PMP, and both protocols together", cases: natPmp },
  "natpmp-mapping": { title: "Mappings of NAT-PMP", cases: natPmpMappings },
  description: { title: "DESCRIPTION", cases: describing },
  prefix64: { title: "PREFIX64", cases: prefix64 },
  "port-set": { title: "PORT_SET", cases: portSets },
  "third-party-id": { title: "THIRD_PARTY_ID", cases: thirdPartyIds },
}

export { requirements, variables }

/** JSON Schema 2020-12 of the files with cases. */
export const jsonSchema = (): unknown => z.toJSONSchema(VECTOR_FILE)

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, file] of Object.entries(files))
    writeFileSync(path(`${name}.json`), JSON.stringify({ $schema: "./schema.json", ...file }))
  writeFileSync(path("requirements.json"), JSON.stringify(requirements))
  writeFileSync(path("variables.json"), JSON.stringify(variables))
  writeFileSync(path("schema.json"), JSON.stringify(jsonSchema()))
  execFileSync("npx", ["biome", "format", "--write", path(".")], { stdio: "inherit" })
  const cases = Object.values(files).flatMap((file) => file.cases)
  const shown = new Set(cases.flatMap(({ requirements: ids }) => ids))
  const missing = requirements.filter(({ id }) => !shown.has(id)).map(({ id }) => id)
  console.log(`${cases.length} cases; without any: ${missing.join(" ")}`)
}

import published from "../../../schema/serve.schema.json" with { type: "json" }
import { wrap } from "../wrap.ts"

/** What the published schema says of one setting, as far as help needs it. */
interface Described {
  readonly description?: string
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Described>>
  readonly items?: Described
  readonly anyOf?: readonly Described[]
}

const isDescribed = (value: unknown): value is Described => typeof value === "object" && value !== null

// The type that TypeScript gives the file names each setting, where help asks all of them the same.
const json: unknown = published
const schema: Described = isDescribed(json) ? json : {}

const WIDTH = 80
const NAMES = 19

/** Every setting of a configuration file, in 80 columns: read from the schema, so that help loads nothing else for it. */
export const settingsHelp = (): string => {
  const settings = Object.entries(schema.properties ?? {}).filter(([name]) => !name.startsWith("$"))
  const lines = settings.flatMap(([name, described]) => [
    ...entry(name, described, 2),
    ...fieldsOf(described).flatMap(([field, inner]) => entry(field, inner, 4)),
  ])
  return [
    "Settings of a configuration file (its JSON Schema: sallyport/serve.schema.json):",
    ...lines,
    "",
    "Example:",
    ...EXAMPLE,
  ].join("\n")
}

const EXAMPLE = [
  "  {",
  '    "listen": ["192.0.2.1"], // the inside',
  '    "external": "203.0.113.0/29",',
  '    "staticMappings": [{',
  '      "protocol": "tcp",',
  '      "internal": "192.0.2.10:80",',
  '      "external": "203.0.113.1:80",',
  "    }],",
  '    "rules": [{ "action": "deny", "clients": "192.0.2.128/25" }],',
  "  }",
]

const entry = (name: string, { description = "", default: preset }: Described, indent: number): string[] => {
  const text = preset === undefined ? description : `${description} Default: ${defaultText(preset)}.`
  const head = `${" ".repeat(indent)}${name}`.padEnd(NAMES)
  const [first, ...rest] = wrap(text.trim(), WIDTH - NAMES - 2)
  return [`${head}  ${first}`.trimEnd(), ...rest.map((line) => `${" ".repeat(NAMES)}  ${line}`)]
}

const defaultText = (preset: unknown): string =>
  typeof preset === "string"
    ? preset
    : typeof preset === "object" && preset !== null
      ? Object.entries(preset)
          .map(([name, value]) => (Array.isArray(preset) ? String(value) : `${name} ${value}`))
          .join(", ")
      : String(preset)

/** The named parts of a setting that is an object, or a list of them, and that say something of their own. */
const fieldsOf = (described: Described): readonly (readonly [string, Described])[] => {
  const { properties, items } = described
  return Object.entries(properties ?? items?.properties ?? {}).filter(
    ([, { description }]) => description !== undefined,
  )
}

/**
 * Runs the conformance kit against Debian's miniupnpd, in network namespaces of its own, and keeps its report:
 * `node test/interop/miniupnpd.ts` writes miniupnpd-report.md.
 */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

type JsonRecord = { readonly [name: string]: unknown }

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

export const REPORT = path("miniupnpd-report.md")

const PROGRAMS = ["unshare", "nsenter", "ip", "nft", "miniupnpd"]

/** What a run here lacks; `undefined`: nothing. */
export const missing = (): string | undefined => {
  const programs = PROGRAMS.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
  if (programs.length > 0)
    return `${programs.join(", ")} missing: install Debian's util-linux iproute2 nftables miniupnpd-nftables`
  if (spawnSync("unshare", ["--net", "true"]).status !== 0)
    return "network namespaces are not allowed here: run as root"
  return undefined
}

/** `miniupnpd 2.3.1` and its Debian package's version. */
export const version = (): string => {
  const own = spawnSync("miniupnpd", ["--version"], { encoding: "utf8" }).stdout
  const debian = spawnSync("dpkg-query", ["-W", "miniupnpd-nftables"], { encoding: "utf8" })
  const [name] = /miniupnpd \S+/.exec(own) ?? ["miniupnpd"]
  return debian.status === 0 ? `${name} (Debian ${debian.stdout.trim().split("\t")[1]})` : name
}

/** Runs the kit from a client's namespace against a miniupnpd in a router's, and gives its JSON report. */
export const runKit = (): JsonRecord => {
  const command = [process.execPath, path("../../adapters/cli/main.ts"), "conformance", "--server", "10.0.0.1"]
  const words = ["--client", "10.0.0.2", "--client", "10.0.0.3", "--rate", "500", "--json"]
  const run = spawnSync(
    "unshare",
    ["--net", "sh", path("../bench/udp/namespace.sh"), "sh", path("miniupnpd.sh"), ...command, ...words],
    { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  )
  const report: unknown = run.stdout === "" ? undefined : JSON.parse(run.stdout)
  if (!isRecord(report)) throw new Error(`the kit did not run: ${run.stderr}`)
  return report
}

const isRecord = (value: unknown): value is JsonRecord => typeof value === "object" && value !== null
const list = (value: unknown): readonly JsonRecord[] => (Array.isArray(value) ? value.filter(isRecord) : [])
const cell = (value: unknown): string => String(value).replaceAll("|", "\\|")

/** Fields whose values chance gives: their names are enough. */
const BY_CHANCE = /Port|Nonce|Epoch|Request|request/

/** What came instead, in words that are the same in every run. */
const instead = (test: JsonRecord): string => {
  if (test.got === null) return "no answer"
  const different = list(test.fields).filter(({ same }) => same === false)
  if (different.length === 0) {
    const [fault] = Array.isArray(test.faults) ? test.faults : []
    return String(fault).includes("answer came") ? String(fault) : "a value out of its limits"
  }
  const [{ name, wanted = "no such field", got = "no such field" }] = different
  const short = (value: unknown): string => String(value).split(":")[0]
  return BY_CHANCE.test(String(name)) ? `${name} differs` : `${name}: ${short(got)}, not ${short(wanted)}`
}

/** The report as Markdown: nothing in it depends on chance or time. */
export const document = (report: JsonRecord, server: string): string => {
  const requirements = list(report.requirements)
  const cases = list(report.cases)
  const count = (items: readonly JsonRecord[], outcome: string): number =>
    items.filter((item) => item.outcome === outcome).length
  const sum = (items: readonly JsonRecord[]): string => `${count(items, "pass")} passed, ${count(items, "fail")} failed`
  const failed = cases.filter(({ outcome }) => outcome === "fail")
  return `# ${server} against the conformance kit

Made by \`node test/interop/miniupnpd.ts\`: miniupnpd with its nftables back end between two network namespaces, NAT-PMP and PCP
on, and the configuration of [miniupnpd.conf](miniupnpd.conf). The kit asks from two hosts inside. The report
is kept so that others can check it and so that a change shows; it is no judgement of later versions.

Offers: ${(Array.isArray(report.offers) ? report.offers : []).join(", ")}.

Requirements: ${sum(requirements)}. Cases: ${sum(cases)}.

The others do not apply: this server does not offer what they are about, or only the server's side can set it up or see it.

## Requirements

| requirement | level | clause | what | outcome | cases passed |
| --- | --- | --- | --- | --- | --- |
${requirements
  .filter(({ outcome }) => outcome !== "not applicable")
  .map(({ id, level, clause, text, outcome, passed, failed: failing }) => {
    const all = Number(passed) + (Array.isArray(failing) ? failing.length : 0)
    return `| ${cell(id)} | ${cell(level)} | ${cell(clause)} | ${cell(text)} | ${outcome === "fail" ? "**fail**" : "pass"} | ${passed} of ${all} |`
  })
  .join("\n")}

## Failed cases

| requirement | clause | case | what came |
| --- | --- | --- | --- |
${failed
  .map((test) => {
    const ids = Array.isArray(test.requirements) ? test.requirements.join(" ") : ""
    return `| ${cell(ids)} | ${cell(test.clause)} | ${cell(test.title)} | ${cell(instead(test))} |`
  })
  .join("\n")}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lack = missing()
  if (lack !== undefined) {
    console.error(lack)
    process.exitCode = 1
  } else writeFileSync(REPORT, document(runKit(), version()))
}

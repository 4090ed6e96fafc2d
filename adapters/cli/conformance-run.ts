import { writeFileSync } from "node:fs"
import { entropy, udp } from "#runtime"
import type { Address } from "../../core/wire/index.ts"
import { failures, junit, type Kind, loadKit, run, type Strictness, verdicts } from "../conformance/index.ts"
import { reasonOf } from "../system-error.ts"
import { complain } from "./complain.ts"
import { reportJson } from "./conformance-json.ts"
import { type Report, reportText } from "./conformance-text.ts"
import { formatEndpoint } from "./endpoint.ts"
import { Exit, type ExitCode } from "./exit.ts"
import { findServer } from "./find-server.ts"
import { paintFor } from "./paint.ts"

export interface ConformanceOptions {
  readonly server: string
  readonly kind: string
  readonly client?: readonly Address[]
  readonly requirement?: readonly string[]
  readonly case?: readonly string[]
  readonly level: Strictness
  readonly rate?: number
  readonly timeout?: number
  readonly limit?: number
  readonly json?: boolean
  readonly junit?: string
}

/** Milliseconds without an answer that show a request was dropped: many times what a server near by takes. */
const SILENCE = 250

/** A name of --requirement or --case that nothing has. */
const unknown = (wanted: readonly string[] | undefined, known: ReadonlySet<string>): string | undefined =>
  wanted?.find((one) => !known.has(one))

/** Runs the kit against a server and prints its report; gives the exit code. */
export const conformance = async (options: ConformanceOptions): Promise<ExitCode> => {
  const kit = loadKit()
  const kind = options.kind === "nat44" ? "nat444" : options.kind
  const found = await findServer(options.server)
  if (!found.ok) {
    complain(found.text)
    return Exit.USAGE
  }
  const stranger =
    unknown(options.requirement, new Set(kit.requirements.map(({ id }) => id))) ??
    unknown(options.case, new Set(kit.cases.map(({ id }) => id)))
  if (stranger !== undefined || !isKind(kind)) {
    complain(`"${stranger ?? kind}" is no requirement, case or kind of the kit`)
    return Exit.USAGE
  }
  const paint = paintFor(process.stderr)
  const live = process.stderr.isTTY === true
  const done = await run(kit, udp, {
    server: found.value,
    kind,
    clients: options.client ?? [],
    pace: { gap: 1000 / (options.rate ?? 100), timeout: options.timeout ?? 2000, silence: SILENCE },
    limit: (options.limit ?? 600) * 1000,
    only: ({ id, requirements }) =>
      (options.case === undefined || options.case.includes(id)) &&
      (options.requirement === undefined || requirements.some((one) => options.requirement?.includes(one) === true)),
    random: entropy,
    progress: (_result, count, all) => {
      if (live) process.stderr.write(`\r${paint.dim(`${count} of ${all} cases`)}${count === all ? "\r\x1b[K" : ""}`)
    },
  })
  if (!done.ok) {
    const where = formatEndpoint(found.value)
    complain(done.reason === "silent" ? `no answer from ${where}: ${done.text}` : `cannot ask ${where}: ${done.text}`)
    return done.reason === "silent" ? Exit.TIMEOUT : Exit.USAGE
  }
  const report: Report = {
    server: formatEndpoint(found.value),
    kind,
    run: done,
    verdicts: verdicts(kit, done.results, options.level).filter(
      ({ requirement: { id }, passed, failed, inapplicable }) =>
        (options.requirement === undefined && options.case === undefined) ||
        options.requirement?.includes(id) === true ||
        (options.requirement === undefined && passed + failed.length + inapplicable > 0),
    ),
    failures: failures(kit, done.results, options.level),
  }
  const text =
    options.json === true
      ? `${JSON.stringify(reportJson(report))}\n`
      : reportText(report, paintFor(process.stdout), process.stdout.columns ?? 100)
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  if (options.junit !== undefined) {
    try {
      writeFileSync(options.junit, junit(report.server, report.verdicts, done.results))
    } catch (cause) {
      complain(`cannot write ${options.junit}: ${reasonOf(cause)}`)
      return Exit.USAGE
    }
  }
  if (done.stopped !== undefined) {
    complain(done.stopped === "silent" ? "the server stopped answering" : "the time was up before all cases were run")
    return Exit.TIMEOUT
  }
  return report.failures.length > 0 ? Exit.FAILED : Exit.DONE
}

const KINDS: readonly string[] = ["dslite", "nat444", "nat64", "nat46", "nptv6", "firewall4", "firewall6", "l2dslite"]
const isKind = (text: string): text is Kind => KINDS.includes(text)

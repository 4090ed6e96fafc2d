import { clock, ownAddresses } from "#runtime"
import { ADDRESS_CLASSES, classOfAddress, isDoubleNat } from "../../../core/client/index.ts"
import { formatAddress, resultName } from "../../../core/wire/index.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { type Paint, paintFor } from "../paint.ts"
import { wallClock } from "../wall-clock.ts"
import { wrap } from "../wrap.ts"
import { type Diagnosis, diagnose } from "./diagnosis.ts"
import { durationText } from "./duration.ts"
import { failureRecord, failureText } from "./failure.ts"
import { serverRecord } from "./find.ts"
import type { Inquiry, Reply } from "./inquiry.ts"
import { externalText } from "./mapping-words.ts"
import type { ServerOptions } from "./server-options.ts"
import { survey } from "./survey.ts"

/** Columns of a report. */
const WIDTH = 80
const NAME = 12

/** Finds out what can be done from here, and prints it; gives the exit code. */
export const probe = async (options: ServerOptions): Promise<ExitCode> => {
  const seen = await survey({ announce: true, address: true, mapping: true }, options)
  if (typeof seen === "number") return seen
  const { inquiries, named } = seen
  const all = inquiries.map((inquiry) => ({ inquiry, diagnosis: diagnose(inquiry, named) }))
  const paint = paintFor(process.stdout)
  const texts = all.map(({ inquiry, diagnosis }) =>
    options.json ? `${JSON.stringify(recordOf(inquiry, diagnosis))}\n` : reportOf(inquiry, diagnosis, named, paint),
  )
  process.stdout.write(texts.join(options.json ? "" : "\n"))
  const codes = all
    .filter(
      ({ diagnosis }) =>
        named || diagnosis.finding !== "silent" || all.every((one) => one.diagnosis.finding === "silent"),
    )
    .map(({ diagnosis }) => diagnosis.exit)
  if (codes.every((code) => code === codes[0])) return codes[0]
  if (codes.includes(Exit.DONE) || codes.includes(Exit.PARTLY)) return Exit.PARTLY
  return codes.includes(Exit.FAILED) ? Exit.FAILED : Exit.SHORT_ERROR
}

const replyText = <T>(reply: Reply<T>, text: (value: T) => string): string =>
  reply === undefined ? "no answer" : reply.ok ? text(reply.value) : failureText(reply.failure)

const reportOf = (inquiry: Inquiry, diagnosis: Diagnosis, named: boolean, paint: Paint): string => {
  const { server, announced, address, mapped } = inquiry
  const [{ client, zone }] = server.ends
  const at = zone ?? ownAddresses().find((one) => one.address === client)?.interfaceName
  const line = (name: string, text: string): string => {
    const [first, ...more] = wrap(text, WIDTH - NAME - 2)
    return [`  ${paint.dim(name.padEnd(NAME))}${first}`, ...more.map((one) => `${" ".repeat(NAME + 2)}${one}`)].join(
      "\n",
    )
  }
  const lines = [
    `${paint.bold(server.name)}${named ? "" : `, a default gateway${at === undefined ? "" : ` on ${at}`}`}`,
    line("We are", `${formatAddress(client)}, ${ADDRESS_CLASSES[classOfAddress(client)]}`),
    line(
      "PCP",
      replyText(announced, ({ protocol, epoch, result }) =>
        protocol === "nat-pmp"
          ? "not spoken there, NAT-PMP alone"
          : `version 2, ${result === 0 ? `up for ${durationText(epoch)}` : resultName(result)}`,
      ),
    ),
    ...(address === undefined && diagnosis.outside?.via === "pcp" && mapped?.ok
      ? []
      : [
          line(
            "NAT-PMP",
            replyText(address, () => "spoken there"),
          ),
        ]),
  ]
  if (diagnosis.outside !== undefined) {
    const { external, class: kind } = diagnosis.outside
    lines.push(line("Outside", `${formatAddress(external)}, ${ADDRESS_CLASSES[kind]}`))
  }
  lines.push(
    line(
      "Mapping",
      replyText(
        mapped,
        (one) =>
          `${diagnosis.finding === "no-route" ? "is granted" : "works"}: 9/udp was at ${externalText(one)}, and is deleted again`,
      ),
    ),
    ...diagnosis.advice.map((text, index) => line(index === 0 ? "Next" : "", text)),
    "",
  )
  return lines.join("\n")
}

const recordOf = (inquiry: Inquiry, { finding, outside, advice }: Diagnosis): object => {
  const { server, announced, address, mapped } = inquiry
  const { client, ...end } = server.ends[0]
  const replied = <T>(reply: Reply<T>, record: (value: T) => object): object | null =>
    reply === undefined
      ? null
      : reply.ok
        ? { ok: true, ...record(reply.value) }
        : { ok: false, ...failureRecord(reply.failure) }
  return {
    time: wallClock(clock).time(),
    event: "probe",
    server: serverRecord(end),
    own: { address: formatAddress(client), class: classOfAddress(client) },
    announce: replied(announced, ({ protocol, epoch, result }) => ({
      via: protocol,
      epoch,
      code: result,
      name: resultName(result),
    })),
    natPmp: replied(address, ({ external, class: kind }) => ({ address: formatAddress(external), class: kind })),
    mapping: replied(mapped, ({ protocol, external, externalPort, lifetime, class: kind }) => ({
      via: protocol,
      address: formatAddress(external),
      port: externalPort,
      class: kind,
      lifetime,
    })),
    external: outside === undefined ? null : { address: formatAddress(outside.external), class: outside.class },
    doubleNat: outside !== undefined && isDoubleNat(outside.class),
    finding,
    advice,
  }
}

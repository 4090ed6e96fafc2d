/** Random histories of a client: commands, datagrams good and bad, ICMP, and time. */
import fc from "fast-check"
import type { ClientInput, ClientServer, Command, MappingRequest } from "../../../core/client/index.ts"
import { announcement, natPmpAddress, natPmpVersionError } from "./answer.ts"
import { address, CLIENT, ROUTER, router, TCP_8080 } from "./scene.ts"

const id = fc.constantFrom("a", "b", "c")

const request: fc.Arbitrary<MappingRequest> = fc.oneof(
  fc
    .record({
      internalPort: fc.nat(65535),
      protocol: fc.constantFrom(6, 17, 0, 47),
      lifetime: fc.integer({ min: 0, max: 9000 }),
    })
    .map((more) => ({ ...TCP_8080, ...more })),
  fc.constantFrom<MappingRequest>(
    TCP_8080,
    { ...TCP_8080, preferFailure: true, externalPort: 80 },
    { ...TCP_8080, filters: [{ remote: ROUTER, prefixLength: 24, remotePort: 0 }] },
    { ...TCP_8080, portSet: { size: 9, parity: true }, description: "x", prefix64: true },
    { kind: "outbound", protocol: 6, internalPort: 9, lifetime: 600, remote: ROUTER, remotePort: 443 },
  ),
)

const servers: fc.Arbitrary<readonly ClientServer[]> = fc.constantFrom<readonly ClientServer[]>(
  [],
  [router()],
  [router(), router({ name: "other" })],
  [router({ ends: [{ address: ROUTER, client: address("192.168.1.11") }] })],
  [router({ ends: [router().ends[0], { address: address("10.0.0.1"), client: CLIENT }] })],
  [router({ protocol: "nat-pmp" })],
)

export const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    arbitrary: fc.record({
      type: fc.constant("request" as const),
      id,
      request,
      mode: fc.constantFrom(undefined, { kind: "once" } as const, { kind: "repeat", times: 2 } as const),
    }),
    weight: 4,
  },
  fc.record({ type: fc.constant("renew" as const), id, lifetime: fc.option(fc.nat(9000), { nil: undefined }) }),
  fc.record({ type: fc.constantFrom("revoke" as const, "drop" as const), id }),
  fc.record({
    type: fc.constant("announce" as const),
    id,
    tries: fc.option(fc.integer({ min: -1, max: 5 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant("external-address" as const), id }),
  fc.record({
    type: fc.constant("unmap-all" as const),
    id,
    transport: fc.constantFrom("udp" as const, "tcp" as const),
  }),
  fc.record({ type: fc.constant("network-changed" as const), servers }),
  fc.record({ type: fc.constant("stop" as const), revoke: fc.boolean() }),
)

export const octets: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 90 }),
  fc.nat(2 ** 32 - 1).map(announcement),
  fc.nat(1000).map((epoch) => natPmpAddress(epoch)),
  fc.constantFrom(natPmpVersionError(), natPmpVersionError(129), Uint8Array.of(3, 129, 0, 1)),
  fc
    .tuple(fc.constantFrom(129, 130), fc.constantFrom(0, 1, 2, 3, 4, 9), fc.nat(1000), fc.constantFrom(0, 60, 7200))
    .map(([opcode, result, epoch, lifetime]) =>
      Uint8Array.of(
        0,
        opcode,
        0,
        result,
        0,
        0,
        epoch >> 8,
        epoch & 255,
        31,
        144,
        31,
        144,
        0,
        0,
        lifetime >> 8,
        lifetime & 255,
      ),
    ),
)

/** Milliseconds from one input to the next. */
const waits = fc.oneof(fc.constant(0), fc.nat(5000), fc.nat(4_000_000))

export const inputs: fc.Arbitrary<readonly ClientInput[]> = fc
  .array(
    fc.tuple(
      waits,
      fc.oneof(
        commands.map(
          (command) =>
            (now: number): ClientInput => ({ ...command, now }),
        ),
        fc
          .record({
            bytes: octets,
            source: fc.constantFrom(ROUTER, CLIENT),
            sourcePort: fc.constantFrom(5351, 5351, 9),
          })
          .map(
            (datagram) =>
              (now: number): ClientInput => ({ type: "datagram", now, ...datagram }),
          ),
        fc.constant((now: number): ClientInput => ({ type: "unreachable", now, address: ROUTER, port: 5351 })),
        fc.constant((now: number): ClientInput => ({ type: "tick", now })),
      ),
    ),
    { maxLength: 25 },
  )
  .map((moves) => {
    let now = 0
    return moves.map(([wait, input]) => {
      now += wait
      return input(now)
    })
  })

import assert from "node:assert/strict"
import { test } from "node:test"
import {
  isKnownOption,
  isMandatoryOption,
  NATPMP_RESULTS,
  natPmpOpcodeName,
  natPmpResultMeaning,
  natPmpResultName,
  Opcode,
  OptionCode,
  opcodeName,
  optionName,
  protocolName,
  RESULTS,
  ResultCode,
  resultLifetime,
  resultMeaning,
  resultName,
} from "../../../core/wire/index.ts"

// RFC 6887 section 7.4, RFC 7652 section 7, RFC 7843 section 4.1, in the order of the registry; the letter is the lifetime's class.
const PCP_RESULTS = `SUCCESS - UNSUPP_VERSION L NOT_AUTHORIZED L MALFORMED_REQUEST L UNSUPP_OPCODE L UNSUPP_OPTION L
  MALFORMED_OPTION L NETWORK_FAILURE S NO_RESOURCES S UNSUPP_PROTOCOL L USER_EX_QUOTA S CANNOT_PROVIDE_EXTERNAL -
  ADDRESS_MISMATCH L EXCESSIVE_REMOTE_PEERS L INITIATION - AUTHENTICATION_REQUIRED - AUTHENTICATION_FAILED -
  AUTHENTICATION_SUCCEEDED - AUTHORIZATION_FAILED - SESSION_TERMINATED - UNKNOWN_SESSION_ID -
  DOWNGRADE_ATTACK_DETECTED - AUTHENTICATION_REQUEST - AUTHENTICATION_REPLY - THIRD_PARTY_ID_UNKNOWN L
  THIRD_PARTY_MISSING_OPTION L UNSUPP_THIRD_PARTY_ID_LENGTH L`.split(/\s+/)

test("result codes 0 to 26 have a name, a meaning and the class of their lifetime", () => {
  assert.equal(RESULTS.length, 27)
  for (let code = 0; code <= 26; code++) {
    assert.equal(resultName(code), PCP_RESULTS[2 * code])
    const letter = { short: "S", long: "L", none: "-" }[resultLifetime(code) ?? "none"]
    assert.equal(letter, PCP_RESULTS[2 * code + 1], resultName(code))
    assert.match(resultMeaning(code), /^[A-Z].*\.$/)
  }
  assert.deepEqual(
    Object.entries(ResultCode).map(([name, code]) => [name, resultName(code)]),
    Object.keys(ResultCode).map((name) => [name, name]),
  )
})

test("codes that nobody has assigned are named by their range (RFC 6887 19.2 to 19.4)", () => {
  assert.equal(resultName(27), "unassigned result code 27")
  assert.equal(resultName(191), "private use result code 191")
  assert.equal(resultName(255), "reserved result code 255")
  assert.equal(resultMeaning(200), "Result code 200 is private use (RFC 6887 19.3).")
  assert.equal(resultLifetime(200), undefined)
  assert.equal(opcodeName(4), "unassigned opcode 4")
  assert.equal(opcodeName(96), "private use opcode 96")
  assert.equal(opcodeName(127), "reserved opcode 127")
  assert.equal(optionName(0), "reserved option 0")
  assert.equal(optionName(14), "unassigned option 14")
  assert.equal(optionName(126), "private use option 126")
  assert.equal(optionName(224), "private use option 224")
})

test("opcodes and options by name", () => {
  for (const [name, code] of Object.entries(Opcode)) assert.equal(opcodeName(code), name)
  for (const [name, code] of Object.entries(OptionCode)) {
    assert.equal(optionName(code), name)
    assert.ok(isKnownOption(code))
    assert.equal(isMandatoryOption(code), code < 128)
  }
  assert.ok(!isKnownOption(0) && !isKnownOption(14) && !isKnownOption(131))
})

test("NAT-PMP results 0 to 5 (RFC 6886 3.5)", () => {
  assert.deepEqual(
    NATPMP_RESULTS.map(({ name }) => name),
    [
      "Success",
      "Unsupported Version",
      "Not Authorized/Refused",
      "Network Failure",
      "Out of resources",
      "Unsupported opcode",
    ],
  )
  assert.equal(natPmpResultName(5), "Unsupported opcode")
  assert.equal(natPmpResultName(77), "result code 77")
  assert.match(natPmpResultMeaning(4), /more mappings/)
  assert.match(natPmpResultMeaning(77), /fatal/)
  assert.deepEqual([0, 1, 2, 3].map(natPmpOpcodeName), ["external address", "map UDP", "map TCP", "opcode 3"])
})

test("protocol numbers by name (IANA)", () => {
  assert.deepEqual([0, 1, 6, 17, 33, 58, 132, 136, 200].map(protocolName), [
    "all protocols",
    "ICMP",
    "TCP",
    "UDP",
    "DCCP",
    "IPv6-ICMP",
    "SCTP",
    "UDPLite",
    "protocol 200",
  ])
})

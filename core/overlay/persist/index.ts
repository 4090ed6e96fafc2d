/** What is kept of instances over a crash, as files. */
export { encodeInstance, INSTANCE_HEADER, instanceFileName, instanceOfFile, parseInstance } from "./instance-file.ts"
export { type NvList, type NvValue, packNvlist, unpackNvlist } from "./nvlist.ts"

/** Links of overlays: their lives and properties. */
export {
  type Association,
  activateDevice,
  associateDevice,
  createDevice,
  type DeviceVarpd,
  deactivateDevice,
  deleteDevice,
  deviceProperties,
  disassociateDevice,
  ENCAPSULATIONS,
  getDeviceProperty,
  MTU,
  type OverlayDevice,
  type OverlayDevices,
  setDeviceProperty,
} from "./device.ts"

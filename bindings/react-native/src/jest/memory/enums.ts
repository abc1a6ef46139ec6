// The enums' names, which cannot be had where the native library is missing. One that the core gains is a compile error
// here.
import type * as native from "../../generated/index.js";

export const Assessment: typeof native.Assessment = names("Safe", "Unsafe", "Mixed", "Insufficient");
export const CircuitState: typeof native.CircuitState = names("Closed", "Open", "HalfOpen");
export const HealthCause: typeof native.HealthCause = names(
  "None",
  "NotConfigured",
  "NotSupported",
  "NotTried",
  "Offline",
  "Untrusted",
  "ServerFailing",
  "RateLimited",
  "Unauthorized",
  "ServerMisconfigured",
  "UpgradeRequired",
  "PlainServer",
  "Polling",
  "Suspended",
  "FilesUnavailable",
  "StorageFull",
  "DamagedRows",
  "WriteFailed",
  "Stopped",
);
export const IdentityKeySource: typeof native.IdentityKeySource = names("Host", "Database");
export const LogLevel: typeof native.LogLevel = names("Trace", "Debug", "Info", "Warn", "Error");
export const MemoryPressure: typeof native.MemoryPressure = names("Moderate", "Critical");
export const NetworkState: typeof native.NetworkState = names("Unknown", "Online", "Offline");
export const OperationKind: typeof native.OperationKind = names(
  "VoteSet",
  "VoteRetract",
  "ScanPut",
  "ScanDelete",
  "SettingPut",
);
export const OperationState: typeof native.OperationState = names("Pending", "InFlight", "Parked");
export const ParkedReason: typeof native.ParkedReason = names("Auth", "Schema", "Rejected", "Poison");
export const QrKind: typeof native.QrKind = names(
  "WebLink",
  "AppLink",
  "Wifi",
  "Contact",
  "Otp",
  "Email",
  "Sms",
  "Phone",
  "Location",
  "Calendar",
  "Payment",
  "Product",
  "Text",
);
export const RatingSource: typeof native.RatingSource = names("Live", "Cached", "Stale", "Neutral");
export const Service: typeof native.Service = names(
  "LocalStorage",
  "CommunityRatings",
  "CloudSync",
  "Realtime",
  "Cache",
);
export const ServiceState: typeof native.ServiceState = names("Healthy", "Degraded", "Unavailable", "Disabled");
export const SpamRule: typeof native.SpamRule = names("RapidVoting", "RepeatedCode");
export const StoreName: typeof native.StoreName = names("Scans", "Votes", "Settings", "KeyValue", "Operations");
export const Verdict: typeof native.Verdict = names("Unknown", "Safe", "Suspicious", "Unsafe");
export const VoteChoice: typeof native.VoteChoice = names("Safe", "Unsafe");

function names<const Name extends string>(...names: Name[]): { readonly [Each in Name]: Each } {
  return Object.fromEntries(names.map((name) => [name, name])) as { [Each in Name]: Each };
}

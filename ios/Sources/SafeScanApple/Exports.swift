// One import gives an app the core and what it meets of the glue.
@_exported import SafeScanAppleCore
@_exported import SafeScanCore

import { DocumentDirectoryPath } from "@dr.pogodin/react-native-fs";
import { useState } from "react";
import { Button, FlatList, SafeAreaView, Text, TextInput, View } from "react-native";
import { type Scan, SafeScan } from "react-native-safescan";
import {
  SafeScanProvider,
  useCommunityRating,
  useSafeScan,
  useScanHistory,
  useSyncStatus,
  useSystemHealth,
  useVote,
} from "react-native-safescan/react";

// Opened once, for the whole app.
const core = SafeScan.open({ directory: `${DocumentDirectoryPath}/safescan` });

export default function App() {
  return (
    <SafeScanProvider core={core} fallback={<Text>Opening…</Text>}>
      <SafeAreaView style={{ flex: 1, padding: 16 }}>
        <Recorder />
        <History />
        <State />
      </SafeAreaView>
    </SafeScanProvider>
  );
}

/** Stands for a camera. */
function Recorder() {
  const { scans } = useSafeScan();
  const [text, setText] = useState("https://example.com/");
  const [problem, setProblem] = useState("");
  const record = () =>
    scans.record(text).then(
      () => setProblem(""),
      (error: Error) => setProblem(error.message),
    );
  return (
    <View>
      <TextInput value={text} onChangeText={setText} autoCapitalize="none" />
      <Button title="Record" onPress={record} />
      <Text>{problem}</Text>
    </View>
  );
}

function History() {
  const { scans, loadMore } = useScanHistory();
  return (
    <FlatList
      data={scans}
      keyExtractor={({ id }) => id}
      renderItem={({ item }) => <Row scan={item} />}
      onEndReached={() => void loadMore()}
    />
  );
}

function Row({ scan }: { scan: Scan }) {
  const { rating } = useCommunityRating(scan.text);
  const { choice, refusal, submit } = useVote(scan.text);
  return (
    <View style={{ flexDirection: "row", alignItems: "center", gap: 8 }}>
      <Text style={{ flex: 1 }}>
        {scan.text}: {rating?.assessment ?? "…"} {refusal ? `(${refusal.type})` : ""}
      </Text>
      <Button title={choice === "Safe" ? "✓ safe" : "safe"} onPress={() => submit("Safe")} />
      <Button title={choice === "Unsafe" ? "✓ unsafe" : "unsafe"} onPress={() => submit("Unsafe")} />
    </View>
  );
}

function State() {
  const { services } = useSystemHealth();
  const { status } = useSyncStatus();
  return (
    <Text>
      {services.map(({ service, state }) => `${service}: ${state}`).join(", ")}; {status?.pending ?? 0} to send
    </Text>
  );
}

// A charger made with the npm package ocpp-rpc, which checks by its own schemas all that
// it says and hears. Prints what it was answered, and what it was asked.
"use strict";

const { RPCClient } = require("ocpp-rpc");

const [endpoint, identity, password, protocol] = process.argv.slice(2);
const now = () => new Date().toISOString();
const asked = [];

const client = new RPCClient({
  endpoint,
  identity,
  password,
  protocols: [protocol],
  strictMode: true,
  reconnect: false,
});

const variable = ({ component, variable }) => ({ component, variable });
const replies = {
  GetConfiguration: ({ key }) => ({
    configurationKey: key.map((each) => ({ key: each, readonly: false, value: "none" })),
  }),
  ChangeConfiguration: () => ({ status: "Accepted" }),
  GetVariables: ({ getVariableData }) => ({
    getVariableResult: getVariableData.map((each) => ({
      ...variable(each),
      attributeStatus: "Accepted",
      attributeValue: "none",
    })),
  }),
  SetVariables: ({ setVariableData }) => ({
    setVariableResult: setVariableData.map((each) => ({
      ...variable(each),
      attributeStatus: "Accepted",
    })),
  }),
};

const changes = { "ocpp1.6": ["ChangeConfiguration", 3], "ocpp2.0.1": ["SetVariables", 5] };
const configured = new Promise((resolve) => {
  const [action, count] = changes[protocol];
  client.handle(({ method, params }) => {
    asked.push(method);
    if (asked.filter((each) => each === action).length === count) {
      resolve();
    }
    return replies[method](params);
  });
});

const idToken = { idToken: "04A1B2C3", type: "ISO14443" };
const event = (eventType, seqNo, value, more) => ({
  eventType,
  seqNo,
  timestamp: now(),
  triggerReason: "ChargingStateChanged",
  transactionInfo: { transactionId: "tx-1", chargingState: "Charging" },
  meterValue: [{ timestamp: now(), sampledValue: [{ value }] }],
  ...more,
});

const stories = {
  "ocpp1.6": async (say) => {
    await say("BootNotification", { chargePointVendor: "npm", chargePointModel: "rpc" });
    await configured;
    await say("StatusNotification", {
      connectorId: 1,
      errorCode: "NoError",
      status: "Preparing",
    });
    await say("Authorize", { idTag: idToken.idToken });
    const { transactionId } = await say("StartTransaction", {
      connectorId: 1,
      idTag: idToken.idToken,
      meterStart: 1000,
      timestamp: now(),
    });
    await say("MeterValues", {
      connectorId: 1,
      transactionId,
      meterValue: [{ timestamp: now(), sampledValue: [{ value: "2.5", unit: "kWh" }] }],
    });
    await say("StopTransaction", { transactionId, meterStop: 3000, timestamp: now() });
    await say("DataTransfer", { vendorId: "npm" });
    await say("Heartbeat", {});
  },
  "ocpp2.0.1": async (say) => {
    await say("BootNotification", {
      reason: "PowerUp",
      chargingStation: { vendorName: "npm", model: "rpc" },
    });
    await configured;
    await say("StatusNotification", {
      evseId: 1,
      connectorId: 1,
      connectorStatus: "Occupied",
      timestamp: now(),
    });
    await say("Authorize", { idToken });
    await say(
      "TransactionEvent",
      event("Started", 0, 1000, { idToken, evse: { id: 1, connectorId: 1 } }),
    );
    await say("TransactionEvent", event("Updated", 1, 2500));
    await say("TransactionEvent", event("Ended", 2, 3000));
    await say("DataTransfer", { vendorId: "npm" });
    await say("Heartbeat", {});
  },
};

const main = async () => {
  await client.connect();
  const answers = [];
  await stories[protocol](async (action, payload) => {
    const answer = await client.call(action, payload);
    answers.push([action, answer]);
    return answer;
  });
  await client.close();
  console.log(JSON.stringify({ answers, asked }));
};

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

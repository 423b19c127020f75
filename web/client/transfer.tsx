import { TransferView } from "../pages/transfer.tsx";
import { show } from "./app.tsx";

show({ transfer: TransferView });

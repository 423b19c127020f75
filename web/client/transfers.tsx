import { TransfersView } from "../pages/transfers.tsx";
import { show } from "./app.tsx";

show({ transfers: TransfersView });

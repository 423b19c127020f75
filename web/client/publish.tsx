import { PublishView } from "../pages/publish.tsx";
import { show } from "./app.tsx";

show({ publish: PublishView });

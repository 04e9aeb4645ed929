/** A program: runs the plugin of Fairlead's that its argument names. */
import { pluginMain } from '../plugin/main.ts';
import { isPluginName, loadPlugin } from '../plugins/names.ts';

const [, , name = ''] = process.argv;
if (!isPluginName(name)) throw new Error(`there is no plugin ${name}`);
await pluginMain(await loadPlugin(name));

import type { Language } from '../../domain/api/status.ts';

const words = {
  title: ['Imageferry', 'Imageferry 镜像管理'],
  token: ['Paste a bearer token', '粘贴访问令牌'],
  signIn: ['Sign in', '登录'],
  signOut: ['Sign out', '退出'],
  sources: ['Registry sources', '镜像仓库源'],
  images: ['Images', '镜像'],
  name: ['Name', '名称'],
  displayName: ['Display name', '显示名称'],
  namespace: ['Namespace', '命名空间'],
  allNamespaces: ['all', '全部'],
  domain: ['Domain', '域名'],
  username: ['User name', '用户名'],
  password: ['Password', '密码'],
  provider: ['Provider', '提供商'],
  status: ['Status', '状态'],
  registry: ['Registry', '仓库'],
  image: ['Path and tag', '路径与标签'],
  lastSynced: ['Last synced', '最近同步'],
  actions: ['Actions', '操作'],
  search: ['Search name, alias, path', '搜索名称、别名、路径'],
  add: ['Add', '添加'],
  test: ['Test connection', '测试连接'],
  syncNow: ['Sync now', '立即同步'],
  details: ['Details', '详情'],
  remove: ['Delete', '删除'],
  typeName: ['type the name to confirm', '输入名称以确认'],
  typeCount: ['type how many to confirm', '输入数量以确认'],
  removeSelected: ['Delete selected', '批量删除'],
  fromYaml: ['Add from YAML', '从 YAML 批量添加'],
  save: ['Save', '保存'],
  description: ['Description', '描述'],
  history: ['Sync history', '同步历史'],
  layers: ['Layers', '镜像层'],
  manifest: ['Manifest', '清单'],
  done: ['Done', '已完成'],
  confirmWrong: ['What was typed does not match; nothing was done', '输入不匹配，未执行任何操作'],
  shown: ['shown', '已加载'],
  Success: ['synced', '已同步'],
  Failed: ['failed', '同步失败'],
  Syncing: ['syncing', '同步中'],
  NotYet: ['not yet', '未同步'],
  success: ['connected', '连接成功'],
  failed: ['failed', '连接失败'],
  untested: ['untested', '未测试'],
} as const satisfies Record<string, readonly [string, string]>;

/** A word of the console. */
export type Word = keyof typeof words;

/** The console's words in one language. */
export function wordsIn(language: Language): (word: Word) => string {
  return (word) => words[word][language === 'en' ? 0 : 1];
}

/** A status' word; statuses that the console does not know are shown as they are. */
export function statusWord(status: string, say: (word: Word) => string): string {
  const isWord = (text: string): text is Word => Object.hasOwn(words, text);
  return isWord(status) ? say(status) : status;
}
